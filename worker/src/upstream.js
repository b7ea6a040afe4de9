// The one crossing from wasm for a request that goes on: headers are copied, edited and sent on this side, where that costs no strings.
// What is edited, the library says. Lists are lines: no header name or value holds a line end.

/** Sends `request` to `url` with edited headers, and edits those of the answer. Waits `ms` for its head, and for its body as long as it takes. */
export async function forward(request, url, ms, remove, set, connection, cors) {
  const headers = new Headers(request.headers);
  // `x_user_id` is `x-user-id` to every upstream that turns headers into variables (RFC 3875 section 4.1.18), so both go.
  const removed = dashed(remove).split("\n");
  drop(headers, (name) => removed.includes(dashed(name)));
  for (const [name, value] of pairs(set)) headers.set(name, value);
  // GET and HEAD have no body here (the runtime throws for one), and so no length.
  const body = request.method === "GET" || request.method === "HEAD" ? null : request.body;
  if (body === null) headers.delete("content-length");
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), ms);
  let answer;
  try {
    answer = await fetch(url, { method: request.method, headers, body, redirect: "manual", signal: patience.signal });
  } catch (error) {
    throw new UpstreamFailure(url, ms, patience.signal.aborted, error);
  } finally {
    clearTimeout(timer);
  }
  return edit(answer, connection.split("\n"), cors);
}

/** Why there is no answer. Its words are for the log: a client never sees them. */
class UpstreamFailure extends Error {
  constructor(url, ms, timedOut, cause) {
    // Scheme, host and port alone: a path may hold what does not belong in a log.
    const origin = url.slice(0, url.indexOf("/", url.indexOf("://") + 3));
    super(`${origin}: ${timedOut ? `no response head in ${ms} ms` : cause?.message}`);
    this.name = "UpstreamFailure";
    this.timedOut = timedOut;
  }
}

/** The answer for the client. Untouched where there is nothing to edit, and always for a WebSocket, which a copy would lose. */
function edit(answer, connection, cors) {
  const own = answer.headers;
  if (answer.status === 101 || (cors === undefined && !connection.some((name) => own.has(name)))) return answer;
  // Headers are copied as a whole: two `Set-Cookie` stay two.
  const edited = new Response(answer.body, answer);
  const named = (own.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  const ours = (name) => cors !== undefined && name.startsWith("access-control-");
  drop(edited.headers, (name) => connection.includes(name) || named.includes(name) || ours(name));
  for (const [name, value] of pairs(cors ?? "")) edited.headers.append(name, value);
  return edited;
}

/** Takes the headers off for which `goes` says so. */
function drop(headers, goes) {
  for (const name of [...headers.keys()]) if (goes(name)) headers.delete(name);
}

const dashed = (name) => name.replaceAll("_", "-");

/** `name: value` lines. */
function pairs(lines) {
  return lines === "" ? [] : lines.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]);
}
