// The one crossing from wasm for a request that goes on: headers are copied, edited and sent on this side, where that costs no strings.
// What is edited, the library says. Lists are lines: no header name or value holds a line end. What most requests do not have (services,
// hooks, retries, …) comes as JSON in `extras`.

import * as current from "./current.js";
import { each, failed, give } from "./current.js";

const NOTHING = {};

/** Lists of headers that are removed, as sets of names with dashes. A gateway has few, and the wasm says which is where. */
const lists = [];

/** Keeps the lines of `names` as the list `index`. */
export function remember(index, names) {
  lists[index] = listed(names);
}

/**
 * Sends the request on with edited headers, and edits those of the answer. `target` is the URL, and below it the headers that are set; those of
 * the list `removed` are removed first. An answer that is `private_` no cache may give to another client. Waits `ms` for the answer's head, and
 * for its body as long as it takes. `line` is the beginning of the log's line, if one is wanted.
 */
export function forward(ms, removed, private_, target, cors, line, extras) {
  const { request, env } = current;
  try {
    const end = target.indexOf("\n");
    const url = target.slice(0, end);
    const headers = edited(request.headers, lists[removed], target.slice(end + 1));
    const { method } = request;
    // GET and HEAD have no body here (the runtime throws for one), and so no length.
    const bodiless = method === "GET" || method === "HEAD";
    if (bodiless) headers.delete("content-length");
    const cache = private_ ? PRIVATE : undefined;
    if (bodiless && extras === undefined) return give(ask(url, ms, method, headers, cache, request, env, cors, line));
    giveOrFail(request, env, forwardInFull(request, env, url, ms, method, headers, bodiless ? null : request.body, cache, cors, line, extras));
  } catch (error) {
    // Not thrown, and not answered at once: the wasm is in the middle of something.
    giveOrFail(request, env, Promise.reject(error));
  }
}

/**
 * What a Worker fetches comes out of the cache of its zone, or of the upstream's, and goes into it, by the URL alone: who is asking, which the
 * gateway has found out, is not in the key.
 */
const PRIVATE = "no-store";

const giveOrFail = (request, env, answer) => give(answer.catch((error) => failed(request, env, error)));

/**
 * A request with nothing about it that has to be ended: where its time is over, so is the request, and the runtime drops what it waits for.
 * Most are such, and every object that the runtime makes for JavaScript costs: no `AbortController`, no `async`, no second promise.
 */
function ask(url, ms, method, headers, cache, request, env, cors, line) {
  const started = line === undefined ? 0 : Date.now();
  return new Promise((resolve) => {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      resolve(failed(request, env, new UpstreamFailure("timeout", url, ms, undefined, line, headers)));
    }, ms);
    sent(url, { method, headers, redirect: "manual", cache }).then(
      (answer) => {
        if (over) return;
        clearTimeout(timer);
        try {
          if (!isAnswer(answer)) throw new UpstreamFailure("unreachable", url, ms, noAnswer(answer), line, headers);
          const upstream = line === undefined ? undefined : { status: answer.status, ms: Date.now() - started, attempts: 1 };
          resolve(done(edit(answer, cors, NOTHING, upstream), env, line, NOTHING, upstream));
        } catch (error) {
          resolve(failed(request, env, error));
        }
      },
      (error) => {
        if (over) return;
        clearTimeout(timer);
        resolve(failed(request, env, new UpstreamFailure("unreachable", url, ms, error, line, headers)));
      },
    );
  });
}

/** What `fetch` would throw at once, as older compatibility dates have it, is a promise that fails too. */
function sent(url, init) {
  try {
    return fetch(url, init);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The same for what has a body, hooks, retries, or is for another Worker. */
async function forwardInFull(request, env, url, ms, method, headers, body, cache, cors, line, extras) {
  const more = extras === undefined ? NOTHING : JSON.parse(extras);
  if (more.hook !== undefined) {
    // Whom a hook lets pass is its own affair.
    cache = PRIVATE;
    const verdict = await consult(request, env, more.hook, line);
    if (verdict instanceof Response) return refused(verdict, cors, env, line, more);
    for (const [name, value] of verdict) {
      // The client's own spellings of it go too.
      drop(headers, (known) => dashed(known) === dashed(name));
      if (value !== "") headers.set(name, value);
    }
  }
  if (body === null) headers.delete("content-length");
  const started = Date.now();
  const patience = new AbortController();
  const fate = { tooLarge: false, cut: false, answered: false };
  if (body !== null && !request.headers.has("content-length")) {
    if (more.maxBody !== undefined) body = counted(body, more.maxBody, fate, patience);
    body = unbroken(body, fate, patience);
  }
  const timer = setTimeout(() => patience.abort(), ms);
  const to = more.service === undefined ? globalThis : service(env, more.service, line, headers);
  // There is no cache in front of a bound Worker, which would only read that it is to use none.
  if (more.service !== undefined) cache = undefined;
  const retries = body === null ? more.retries : undefined;
  try {
    for (let attempt = 0; ; attempt += 1) {
      const again = retries !== undefined && attempt < retries.attempts;
      try {
        const answer = await to.fetch(url, { method, headers, body, redirect: "manual", cache, signal: patience.signal });
        if (!isAnswer(answer)) throw noAnswer(answer);
        fate.answered = true;
        const pause = again && retries.statuses.includes(answer.status) ? waiting(answer, attempt, started + ms) : undefined;
        if (pause === undefined) {
          const upstream = { status: answer.status, ms: Date.now() - started, attempts: attempt + 1 };
          return done(edit(answer, cors, more, upstream), env, line, more, upstream);
        }
        await answer.body?.cancel();
        await new Promise((resolve) => setTimeout(resolve, pause));
      } catch (error) {
        const kind = fate.tooLarge ? "too_large" : fate.cut ? "unreachable" : patience.signal.aborted ? "timeout" : "unreachable";
        const pause = again && kind === "unreachable" && retries.unreachable ? waiting(undefined, attempt, started + ms) : undefined;
        if (pause === undefined) throw new UpstreamFailure(kind, url, ms, error, line, headers);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Not so: interim answers, which the runtime takes for the final one, a switch that nobody asked for, and what is no status at all. */
const isAnswer = ({ status, webSocket }) => (status < 200 ? webSocket != null : status <= 599);

function noAnswer(answer) {
  answer.body?.cancel().catch(() => {});
  return new Error(`the status ${answer.status} is no answer`);
}

/** Asks the hook before the answer is given that was made, which is the configuration's own. */
export function answer_after(cors, line, extras) {
  const { request, env } = current;
  giveOrFail(request, env, answerAfter(request, env, current.given(), cors, line, JSON.parse(extras)));
}

async function answerAfter(request, env, answer, cors, line, more) {
  const verdict = await consult(request, env, more.hook, line);
  return verdict instanceof Response ? refused(verdict, cors, env, line, more) : done(answer, env, line, more, undefined);
}

/** What a hook answers instead: nothing of the route's own answer applies to it. */
function refused(verdict, cors, env, line, more) {
  // What it would have had set is between it and the gateway.
  const own = [...verdict.headers.keys()].some((name) => name.startsWith(SETS)) ? new Response(verdict.body, verdict) : verdict;
  if (own !== verdict) drop(own.headers, (name) => name.startsWith(SETS));
  return done(edit(own, cors, NOTHING, undefined), env, line, more, undefined);
}

/** Counts an answer of the gateway's own through Analytics Engine. */
export const count_own = (binding, route, code, method, status) => count(current.env, binding, route, code, method, status, 0);

function count(env, binding, route, code, method, status, ms) {
  try {
    env[binding].writeDataPoint({ indexes: [route.slice(0, 96)], blobs: [code, method, route], doubles: [status, ms] });
  } catch (error) {
    // An answer does not fail for want of being counted.
    console.error(error);
  }
}

/**
 * Asks the bound Worker of a hook, with the client's own request but for its body. Returns the headers that it wants set where it answers
 * 2xx without a body, and its answer otherwise.
 */
async function consult(request, env, hook, line) {
  const headers = edited(request.headers, listed(hook.remove), hook.set);
  headers.delete("content-length");
  headers.delete("upgrade");
  const to = service(env, hook.service, line, headers);
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), hook.ms);
  try {
    // A hook is asked with GET for HEAD: the runtime takes the body off an answer to HEAD, and without one it would mean yes.
    const method = request.method === "HEAD" ? "GET" : request.method;
    const answer = await to.fetch(hook.url, { method, headers, redirect: "manual", signal: patience.signal });
    if (!isAnswer(answer)) throw noAnswer(answer);
    if (!answer.ok) return answer;
    const rest = await body(answer);
    if (rest !== undefined) return new Response(rest, answer);
    const wanted = [...answer.headers].filter(([name]) => name.startsWith(SETS)).map(([name, value]) => [name.slice(SETS.length), value]);
    return wanted.filter(([name]) => name !== "" && !UNTOUCHABLE.includes(name));
  } catch (error) {
    throw new UpstreamFailure(patience.signal.aborted ? "timeout" : "unreachable", `service ${hook.service}`, hook.ms, error, line, headers);
  } finally {
    clearTimeout(timer);
  }
}

/** How a hook writes the headers that it wants set. */
const SETS = "x-gateway-set-";

/** What no hook may set: where a request goes, and where it ends. */
const UNTOUCHABLE = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "keep-alive", "te", "trailer"];

/** The body of `answer`, or `undefined` where it has none: some answers have a stream that ends at once. */
async function body(answer) {
  if (answer.body === null) return undefined;
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return undefined;
    if (value.byteLength === 0) continue;
    reader.releaseLock();
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    writer
      .write(value)
      .then(() => writer.releaseLock())
      .then(() => answer.body.pipeTo(writable))
      .catch(() => {});
    return readable;
  }
}

/** A bound Worker. */
function service(env, binding, line, headers) {
  const to = env[binding];
  if (typeof to?.fetch !== "function") throw new UpstreamFailure("config", `service ${binding}`, 0, { message: "it is not bound" }, line, headers);
  return to;
}

/** Milliseconds to wait before the next attempt; `undefined` where it would come too late. An answer's `Retry-After` is honoured. */
function waiting(answer, attempt, deadline) {
  const told = answer?.headers.get("retry-after") ?? null;
  const seconds = told === null ? NaN : /^\d+$/.test(told) ? Number(told) : (Date.parse(told) - Date.now()) / 1000;
  // Half of it at random, so that many clients do not come back at once.
  const own = FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random() / 2);
  const pause = Number.isNaN(seconds) ? own : Math.max(0, seconds * 1000);
  return Date.now() + pause < deadline ? pause : undefined;
}

const FIRST_PAUSE_MS = 50;

/**
 * `stream`, which stops where it has more than `limit` bytes. The request is aborted then: of a stream that merely fails the runtime makes
 * a shorter body that looks whole to the upstream.
 */
function counted(stream, limit, fate, patience) {
  let bytes = 0;
  const counting = new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= limit) return controller.enqueue(chunk);
      fate.tooLarge = true;
      patience.abort();
      return new Promise(() => {});
    },
  });
  return stream.pipeThrough(counting);
}

/**
 * `stream` as it is; where the client does not send it to its end, the request is aborted. On a connection that was used before, the
 * runtime ends a chunked body whose stream fails as if it were whole.
 */
function unbroken(stream, fate, patience) {
  const { readable, writable } = new IdentityTransformStream();
  stream.pipeTo(writable, { preventAbort: true }).catch(() => {
    // Once there is an answer, it may be the upstream that wants no more of the body.
    if (fate.answered) return;
    fate.cut = true;
    patience.abort();
  });
  return readable;
}

/** Why there is no answer. Its words are for the log: a client never sees them. */
class UpstreamFailure extends Error {
  constructor(kind, url, ms, cause, line, headers) {
    // Scheme, host and port alone: a path may hold what does not belong in a log.
    const slash = url.indexOf("/", url.indexOf("://") + 3);
    const origin = url.includes("://") ? url.slice(0, slash < 0 ? undefined : slash) : url;
    super(`${origin}: ${kind === "timeout" ? `no response head in ${ms} ms` : cause?.message}`);
    this.name = "UpstreamFailure";
    this.kind = kind;
    this.line = line;
    this.id = headers.get("x-request-id");
  }
}

/** Writes the line of a request that was sent on, and counts it. */
function done(answer, env, line, more, upstream) {
  const { status } = answer;
  if (line !== undefined) {
    const level = status >= 500 ? 1 : more.level ?? 3;
    if (level <= (more.log ?? 3)) {
      const told = upstream === undefined ? "" : `,"upstream":${JSON.stringify(upstream)}`;
      SAY[level](`${line.slice(0, -1)},"status":${status}${told}}`);
    }
  }
  if (more.analytics !== undefined) {
    const { binding, route } = more.analytics;
    count(env, binding, route, "", more.analytics.method, status, upstream?.ms ?? 0);
  }
  return answer;
}

const SAY = [undefined, (line) => console.error(line), (line) => console.warn(line), (line) => console.log(line)];

/** Headers of an upstream's answer that are for its connection alone (RFC 9110 section 7.6.1). */
const NOT_RETURNED = ["connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer"];

/** Those of them that the runtime sends on. The others are its own connection's, whatever a Worker says. */
const SENT_ON_IF_LEFT = ["proxy-authenticate", "proxy-connection"];

/** Whether a `Connection` may name further headers that are for the connection alone. */
const namesOthers = (connection) => connection !== null && connection !== "keep-alive" && connection !== "close";

/** Whether the runtime sends nothing on of these headers that was for the upstream's connection alone. */
const isForClients = (headers) => !namesOthers(headers.get("connection")) && !SENT_ON_IF_LEFT.some((name) => headers.has(name));

/**
 * The answer for the client, without what was for the upstream's connection. A WebSocket is left as it is: a copy would lose it. So is what
 * needs no edit: the copy and its headers are the dearest thing about a request that is sent on.
 */
function edit(answer, cors, more, upstream) {
  if (answer.status === 101) return answer;
  if (cors === undefined && more.response === undefined && !more.timing && isForClients(answer.headers)) return answer;
  // Headers are copied as a whole: two `Set-Cookie` stay two.
  const edited = new Response(answer.body, answer);
  const { headers } = edited;
  const connection = headers.get("connection");
  for (const name of NOT_RETURNED) headers.delete(name);
  if (namesOthers(connection)) {
    const named = connection.split(",").map((name) => name.trim().toLowerCase());
    drop(headers, (name) => named.includes(name));
  }
  if (cors !== undefined) {
    drop(headers, (name) => name.startsWith("access-control-"));
    each(cors, append, headers);
  }
  for (const [name, value] of more.response ?? []) value === null ? headers.delete(name) : headers.set(name, value);
  if (more.timing && upstream !== undefined) headers.append("server-timing", `upstream;dur=${upstream.ms}`);
  return edited;
}

/** A copy of `own` without the headers of the list `removed`, and with the lines of `set`. */
function edited(own, removed, set) {
  const headers = new Headers(own);
  // No iterator: it is an object of the runtime's.
  own.forEach((_, name) => {
    if (removed.has(ODD.test(name) ? dashed(name) : name)) headers.delete(name);
  });
  each(set, put, headers);
  return headers;
}

const put = (headers, name, value) => headers.set(name, value);
const append = (headers, name, value) => headers.append(name, value);

/** The names of lines, with dashes. */
const listed = (names) => new Set(names.split("\n").map(dashed));

/** Takes the headers off for which `goes` says so. */
function drop(headers, goes) {
  for (const name of [...headers.keys()]) if (goes(name)) headers.delete(name);
}

/**
 * Upstreams that make variables of headers (RFC 3875 section 4.1.18) make one letter of dashes and underscores, some of every other sign too:
 * `x_user_id` and `x.user.id` are `x-user-id` there.
 */
const dashed = (name) => name.replace(/[^a-z0-9]/g, "-");
const ODD = /[^a-z0-9-]/;
