// What stands between the runtime and the wasm: the order of its exports, and what becomes of a panic.
//
// The library is written to have no panics, and nothing here is a substitute for that: it is the belt to the braces. A trap ends the
// wasm instance for all requests that wait in it. The next request gets a fresh instance, and those that were in the old one are answered
// instead of left hanging. A request that waits for its upstream is not in the instance, and goes on.
import { attend, give, head, made, whenFailed } from "./src/current.js";

/** Wraps the exports of the wasm glue into a Worker. */
export function guard(gateway) {
  let broken = false;
  // The requests that wait inside the instance: each can be ended from outside.
  const inside = new Set();

  const onTrap = (error) => {
    if (!(error instanceof WebAssembly.RuntimeError)) return;
    broken = true;
    for (const end of inside) end();
    inside.clear();
  };
  // A trap behind an `await` reaches nobody's `catch`.
  addEventListener("error", (event) => onTrap(event.error));
  addEventListener("unhandledrejection", (event) => onTrap(event.reason));

  /** Calls into the wasm for a request, with a fresh instance if the last one trapped. Returns what was made of the request. */
  const enter = (request, env, ctx, call) => {
    attend(request, env, ctx);
    try {
      if (broken) {
        gateway.__wbg_reset_state();
        broken = false;
      }
      call();
      return made();
    } catch (error) {
      made();
      console.error(error);
      onTrap(error);
      return failure();
    }
  };

  const start = () => gateway.fetch(head(), Date.now());

  const waiting = (request, env, ctx) =>
    new Promise((resolve) => {
      inside.add(resolve);
      Promise.resolve()
        .then(() => gateway.fetch_waiting(request, env, ctx))
        // In a box: what is a promise itself is for its upstream, and no longer inside.
        .then(({ answer }) => resolve(answer), (error) => resolve(failed(request, env, error)))
        .finally(() => inside.delete(resolve));
      // Ended by a trap it has nothing; the answer is made here, since a response belongs to the request that made it.
    }).then((answer) => answer ?? failure());

  const failed = (request, env, error) => {
    if (error?.name === "UpstreamFailure") {
      const { kind, message, id, line } = error;
      return enter(request, env, undefined, () => gateway.refuse_upstream(head(), kind, message, id, line)) ?? failure();
    }
    console.error(error);
    onTrap(error);
    return failure();
  };
  whenFailed(failed);

  return {
    fetch: (request, env, ctx) => enter(request, env, ctx, start) ?? waiting(request, env, ctx),
    async scheduled(_, env) {
      await enter(undefined, env, undefined, () => give(gateway.scheduled(env)));
    },
  };
}

function failure() {
  const id = crypto.randomUUID();
  const body = { error: "internal_error", code: "internal_error", message: "Internal error", statusCode: 500, requestId: id };
  const headers = { "content-type": "application/json", "cache-control": "no-store", "x-request-id": id };
  return new Response(JSON.stringify(body), { status: 500, headers });
}
