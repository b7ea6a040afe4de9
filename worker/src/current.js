// The request that the wasm decides on: here for as long as a call into the wasm takes, and no longer. The wasm itself holds no object of
// JavaScript's for a request that does not have to wait, since each costs a place in its table; what it wants of one it asks for here.

export let request;
export let env;
let ctx;
let answer;

/** A request is decided on from now until `made`. What was given for another that never came so far, since the wasm trapped, is not for this. */
export function attend(to, within, context) {
  request = to;
  env = within;
  ctx = context;
  answer = undefined;
}

/** What was made of it: a response, the promise of one, or `undefined` where it has to wait. */
export function made() {
  const response = answer;
  request = env = ctx = answer = undefined;
  return response;
}

/** The same in a box: of a promise, whoever awaits what is returned would wait for it too. */
export const boxed = () => ({ answer: made() });

/** Makes this the answer: a response, or the promise of one that does not fail. */
export const give = (response) => {
  answer = response;
};

/** The answer, to be replaced. */
export const given = () => answer;

/** What becomes of a request whose answer fails with an error: see `guard.js`. */
export let failed;
export const whenFailed = (call) => {
  failed = call;
};

/** What stands for a header that is not there: no value of one holds it. */
const NONE = "\0";

/**
 * Method, URL and what nearly every request is asked for, as lines. None of them holds a line end. With a token it will probably be sent on, so
 * that it is asked for the rest then comes at once.
 */
export function head() {
  const { method, url, headers } = request;
  const authorization = headers.get("authorization");
  const lines = `${method}\n${url}\n${authorization ?? NONE}\n${headers.get("x-request-id") ?? NONE}`;
  return authorization === null ? lines : `${lines}\n${sent_on()}`;
}

/** What every request is asked for that is sent on, as lines: `connection`, the client's address, `upgrade`. */
export function sent_on() {
  const { headers } = request;
  return `${headers.get("connection") ?? NONE}\n${headers.get("cf-connecting-ip") ?? NONE}\n${headers.get("upgrade") ?? NONE}`;
}

/** Any other header, or `null`. The runtime throws for what is no name of one. */
export function header(name) {
  try {
    return request.headers.get(name);
  } catch {
    return null;
  }
}

export const environment = () => env;
export const context = () => ctx;

/**
 * An answer of the gateway's own. `text` has its headers as lines, of which several may have one name, then an empty line and the body, if any.
 * The request's id, if the answer tells it, is the first.
 */
export function respond(status, text) {
  // A line end that nothing stands before.
  const end = text.startsWith("\n") ? 0 : text.indexOf("\n\n") + 1 || text.length;
  const first = text.startsWith(ID) ? text.indexOf("\n") + 1 : 0;
  try {
    const headers = kept(text, first, end);
    if (first > 0) headers.set("x-request-id", text.slice(ID.length, first - 1));
    answer = new Response(end < text.length ? text.slice(end + 1) : undefined, { status, headers });
  } catch {
    answer = Response.error();
  }
}

const ID = "x-request-id:";

/** Headers of answers by their lines: most have those of an answer before, but for the id, and a copy costs less than they do. */
const answers = new Map();
const MAX_ANSWERS = 64;
const MAX_KEPT_LENGTH = 2048;

/** Headers for the lines of `text` from `first` to `end`. Whoever makes an answer of them copies them, and may set its id before. */
function kept(text, first, end) {
  // With the line end before it where there is an id: headers without one are others.
  const lines = text.slice(first > 0 ? first - 1 : 0, end);
  let headers = answers.get(lines);
  if (headers === undefined) {
    // Without a prototype: a header may be called `constructor`.
    const listed = Object.create(null);
    each(text, list, listed, first);
    headers = new Headers(listed);
    // A slice keeps its whole text.
    if (text.length > MAX_KEPT_LENGTH) return headers;
    // Clients can make new ones, where their origin is told for example, so none is kept for ever.
    if (answers.size >= MAX_ANSWERS) answers.clear();
    answers.set(lines, headers);
  }
  return headers;
}

/** Calls `put(into, name, value)` for each line `name:value` of `text`, up to an empty line. */
export function each(text, put, into, from = 0) {
  while (from < text.length && text[from] !== "\n") {
    const colon = text.indexOf(":", from);
    const next = text.indexOf("\n", colon);
    const end = next < 0 ? text.length : next;
    put(into, text.slice(from, colon), text.slice(colon + 1, end));
    from = end + 1;
  }
}

/** As a list has it (RFC 9110 section 5.2); the gateway sets no cookies, which are none. */
function list(headers, name, value) {
  headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
}
