// What stands between the runtime and the wasm: the order of its exports, and what becomes of a panic.
//
// The library is written to have no panics, and nothing here is a substitute for that: it is the belt to the braces. A trap ends the
// wasm instance for all requests that wait in it. The next request gets a fresh instance, and those that were in the old one are answered
// instead of left hanging. A request that waits for its upstream is not in the instance, and goes on.

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

  /** Calls into the wasm, with a fresh instance if the last one trapped. */
  const enter = (call) => {
    if (broken) {
      gateway.__wbg_reset_state();
      broken = false;
    }
    try {
      return call();
    } catch (error) {
      console.error(error);
      onTrap(error);
      return failure();
    }
  };

  const waiting = (request, env, ctx) =>
    new Promise((resolve) => {
      inside.add(resolve);
      gateway
        .fetch_waiting(request, env, ctx)
        .catch((error) => failed(request, env, error))
        .then(resolve)
        .finally(() => inside.delete(resolve));
      // Ended by a trap it has nothing; the answer is made here, since a response belongs to the request that made it.
    }).then((answer) => answer ?? failure());

  const failed = (request, env, error) => {
    if (error?.name === "UpstreamFailure") {
      const { kind, message, id, line } = error;
      return enter(() => gateway.refuse_upstream(request, env, kind, message, id, line));
    }
    console.error(error);
    onTrap(error);
    return failure();
  };

  return {
    fetch(request, env, ctx) {
      const answer = enter(() => gateway.fetch(request, env, ctx) ?? waiting(request, env, ctx));
      return answer instanceof Promise ? answer.catch((error) => failed(request, env, error)) : answer;
    },
    async scheduled(_, env) {
      await enter(() => gateway.scheduled(env));
    },
  };
}

function failure() {
  const id = crypto.randomUUID();
  const body = { error: "internal_error", code: "internal_error", message: "Internal error", statusCode: 500, requestId: id };
  const headers = { "content-type": "application/json", "cache-control": "no-store", "x-request-id": id };
  return new Response(JSON.stringify(body), { status: 500, headers });
}
