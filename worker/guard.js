// What becomes of a panic. The library is written to have none, and nothing here is a substitute for that: it is the belt to the braces.
//
// A trap ends the wasm instance for all requests that are in it. The next request gets a fresh instance, and those that were in the old
// one are answered instead of left hanging.

/** Wraps the exports of the wasm glue into a Worker. */
export function guard(gateway) {
  let broken = false;
  // The requests inside the instance: each can be ended from outside.
  const inside = new Set();

  const onTrap = (error) => {
    if (!(error instanceof WebAssembly.RuntimeError)) return false;
    broken = true;
    for (const end of inside) end();
    inside.clear();
    return true;
  };
  // A trap behind an `await` reaches nobody's `catch`.
  addEventListener("error", (event) => onTrap(event.error));
  addEventListener("unhandledrejection", (event) => onTrap(event.reason));

  return {
    fetch(request, env, ctx) {
      if (broken) {
        gateway.__wbg_reset_state();
        broken = false;
      }
      let end;
      const ended = new Promise((resolve) => {
        end = () => resolve(failure());
      });
      inside.add(end);
      try {
        const answer = gateway.fetch(request, env, ctx).catch((error) => {
          onTrap(error);
          return failure();
        });
        return Promise.race([answer, ended]).finally(() => inside.delete(end));
      } catch (error) {
        inside.delete(end);
        onTrap(error);
        return failure();
      }
    },
  };
}

function failure() {
  const id = crypto.randomUUID();
  const body = { error: "internal_error", code: "internal_error", message: "Internal error", statusCode: 500, requestId: id };
  const headers = { "content-type": "application/json", "cache-control": "no-store", "x-request-id": id };
  return new Response(JSON.stringify(body), { status: 500, headers });
}
