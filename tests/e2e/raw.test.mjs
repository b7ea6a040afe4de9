// What is authorised is what is forwarded, for any bytes on the wire: request lines from a generator and requests by hand, over raw sockets,
// with an open catch-all beside what is protected and one upstream behind both.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { SECRET, claims, gateway, hs, upstream } from "./harness.mjs";

const TO = { type: "http_proxy", server: "up" };
const CONFIG = {
  servers: [{ alias: "up", url: "$env.UP" }],
  authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience", forward_claims: { sub: "x-user-id" } },
  paths: [
    { method: "ANY", path: "/admin/{.+}", auth: true, integration: TO },
    { method: "ANY", path: "/private/orders", auth: true, integration: TO },
    { method: "GET", path: "/read", integration: TO },
    { method: "ANY", path: "/{.+}", integration: TO },
  ],
};
const PROTECTED = [["admin", "rest"], ["private", "orders"]];

let gate;
let up;
/** The requests that reached the upstream to the last byte of their bodies. */
const whole = [];
before(async () => {
  up = await upstream((request) => void request.on("end", () => whole.push(request)));
  gate = await gateway(CONFIG, { bindings: { UP: up.url, SECRET } });
});
after(async () => {
  await gate?.stop();
  await up?.stop();
});

const statusOf = (answer) => Number(answer.match(/^HTTP\/1.1 (\d+)/)?.[1]);

/** Takes the first whole answer off `text`: the answer and what is after it, or `undefined` (RFC 9112 section 6.3). */
function taken(text, isHead) {
  const end = text.indexOf("\r\n\r\n") + 4;
  if (end < 4) return undefined;
  const head = text.slice(0, end).toLowerCase();
  const length = isHead || /^http\/1.1 (204|304)/.test(head) ? 0 : head.match(/\r\ncontent-length: (\d+)/)?.[1];
  const last = length === undefined ? text.indexOf("\r\n0\r\n\r\n", end - 4) + 7 : end + Number(length);
  return last < end || text.length < last ? undefined : [text.slice(0, last), text.slice(last)];
}

/** A connection that is kept alive, and opened anew where the server has ended it. */
class Connection {
  #socket;

  /** Sends a request and returns its answer, one at a time. */
  ask(text, isHead = false) {
    const { hostname, port } = gate.url;
    this.#socket ??= connect(Number(port), hostname).setNoDelay().setEncoding("latin1");
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let answer = "";
      const end = (how, value) => {
        socket.removeAllListeners();
        if (how === reject || /\r\nconnection: close/i.test(answer)) this.close();
        how(value);
      };
      socket.on("data", (chunk) => {
        answer += chunk;
        if (taken(answer, isHead) !== undefined) end(resolve, answer);
      });
      socket.on("error", (error) => end(reject, error));
      socket.on("close", () => end(reject, new Error(`closed after ${JSON.stringify(answer)} to ${JSON.stringify(text.slice(0, 300))}`)));
      socket.write(Buffer.from(text, "latin1"));
    });
  }

  close() {
    this.#socket?.on("error", () => {}).destroy();
    this.#socket = undefined;
  }
}

/** Sends all of `text` at once, waits for as many answers as are `wanted`, and `more` milliseconds for any that are not. */
function exchange(text, wanted, { isHead = false, halfClose = false, more = 60 } = {}) {
  return new Promise((resolve) => {
    const socket = connect(Number(gate.url.port), gate.url.hostname).setEncoding("latin1");
    const answers = [];
    let unread = "";
    let timer = setTimeout(() => socket.destroy(), 5000);
    socket.on("data", (chunk) => {
      unread += chunk;
      for (let whole = taken(unread, isHead); whole !== undefined; whole = taken(unread, isHead)) {
        answers.push(whole[0]);
        unread = whole[1];
      }
      if (answers.length < wanted) return;
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), more);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve({ answers, unread });
    });
    socket.write(Buffer.from(text, "latin1"), () => halfClose && socket.end());
  });
}

const seed = Number(process.env.PORTCULLIS_SEED ?? 1);

/** Numbers from 0 to 1, always the same ones (mulberry32). */
function randomness(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Request targets that mean to be something else than what they look like. CR and LF alone are not in them: these end a request line. */
function* targets(count) {
  const random = randomness(seed);
  const one = (list) => list[Math.floor(random() * list.length)];
  const some = (most, make) => Array.from({ length: Math.floor(random() * (most + 1)) }, make).join("");
  const hex = (byte) => `%${(random() < 0.5 ? (text) => text : (text) => text.toUpperCase())(byte.toString(16).padStart(2, "0"))}`;
  const encoded = (text, times) => [...text].map((letter) => (times > 0 && random() < 0.4 ? encoded(hex(letter.charCodeAt(0)), times - 1) : letter)).join("");
  const word = () => encoded(one(["admin", "admin", "private", "orders", "private/orders", "open", "x", "read", "Admin", ""]), one([0, 0, 1, 1, 2]));
  const slash = () => one(["/", "/", "/", "/", "//", "///", "/./", "\\", "%2f", "%2F", "%5c", "%252f", "%255C", ";/", "/;/", "%00/", "\t/", "/\xc0\xaf"]);
  const dots = () => one(["..", "..", ".", "...", "%2e%2e", ".%2E", "%2e", "%252e%252e", "..;", "..;a=b", "%2e%2e%3b", "..%00", "..%20", "..%09", "%c0%ae%c0%ae", "\xe2\x80\xa4\xe2\x80\xa4", "..\\", "..%5c"]);
  const noise = () => one([
    ";", ";a=b", ";/../", "\0", "\t", " ", "\x01", "\x7f", "\xff", "\xc3\xa9", "\xf0\x9f\x98\x80", "%ff", "%c3%a9", "%ed%a0%80", "%zz", "%", "%2", "%u002e", "%0d%0a", "%00", "%20",
    "#", "#/../admin", "?", "?/../admin", "?x=%2e%2e", "*", "@", ":", "|", "{", "}", "~", "%7e", "^", "\"", "<", "`", "+", "&", "=", "$", "[", "]",
    String.fromCharCode(...Array.from({ length: 3 }, () => Math.floor(random() * 256)).filter((byte) => ![10, 13].includes(byte))),
  ]);
  const segment = () => one([word, word, word, dots, noise, () => word() + noise()])();
  const path = () => one(["/", "/", "/", "//", "/./", "/\\"]) + segment() + some(4, () => slash() + segment());
  const forms = [
    [70, path],
    [10, () => `/${some(12, () => one([word, slash, dots, noise])())}`],
    [6, () => `//${one(["h", "admin", "h:80", "u@h"])}${path()}`],
    [4, () => `/${"a".repeat(Math.floor(random() * 20_000))}${path()}`],
    [3, () => `${"/x/..".repeat(Math.floor(random() * 1000))}/${word()}`],
    [4, () => `${one(["http", "https", "HTTP", "ws"])}://${one(["h", "", "u:p@h", "h:80"])}${path()}`],
    [1, () => one(["*", "**", "/*"])],
    [2, () => segment() + path()],
  ];
  const total = forms.reduce((sum, [weight]) => sum + weight, 0);
  for (let made = 0; made < count; made += 1) {
    let at = random() * total;
    yield forms.find(([weight]) => (at -= weight) < 0)[1]();
  }
}

/** The bytes that a percent-encoded text stands for; what is no encoding stands for itself. */
const decoded = (text) => text.replace(/%([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));

/** The segments that a careless server makes of a path: backslashes are slashes, NUL ends it, dots are resolved, with parameters too. */
function segments(path) {
  const resolved = [];
  for (const segment of path.split("\0")[0].replaceAll("\\", "/").split("/")) {
    const name = segment.split(";")[0];
    if (name === "..") resolved.pop();
    else if (name !== "." && segment !== "") resolved.push(segment);
  }
  return resolved;
}

/**
 * Every reading of a path as it was forwarded: as it is, and decoded. Once: RFC 3986 section 2.4 forbids to decode what is decoded, so
 * `%252e` is a percent sign and two letters.
 */
const readings = (target) => [target.split("?")[0], decoded(target.split("?")[0])].map(segments);

const isProtected = ([first, second, ...more]) =>
  PROTECTED.some(([one, two]) => first === one && (two === "rest" || (second === two && more.length === 0)));

describe(`request targets of any bytes (PORTCULLIS_SEED=${seed})`, () => {
  const COUNT = 2000;
  const CONNECTIONS = 8;
  const results = [];
  before(async () => {
    const list = [...targets(COUNT)];
    const methods = ["GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "DELETE", "PROPFIND"];
    const ask = async (connection, number) => {
      const method = methods[number % methods.length];
      const body = method === "GET" || method === "HEAD" ? "" : "Content-Length: 0\r\n";
      const answer = await connection.ask(`${method} ${list[number]} HTTP/1.1\r\nHost: h\r\nX-Number: ${number}\r\n${body}\r\n`, method === "HEAD");
      results[number] = { method, target: list[number], answer, status: statusOf(answer), reached: [] };
    };
    let next = 0;
    await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
      const connection = new Connection();
      while (next < COUNT) await ask(connection, next++);
      connection.close();
    }));
    for (const request of up.seen) results[request.headers["x-number"]].reached.push(request.url);
  });

  const said = ({ method, target, status, reached }) => JSON.stringify({ method, target: target.slice(0, 300), status, reached });

  test("without a token they reach the upstream at no path that any reading finds protected", () => {
    for (const result of results) {
      for (const url of result.reached) for (const reading of readings(url)) assert.ok(!isProtected(reading), said(result));
    }
  });

  test("they reach it in one spelling, once, and where the answer says so", () => {
    for (const result of results) {
      assert.equal(result.reached.length, result.status === 200 ? 1 : 0, said(result));
      const [path = "/"] = result.reached.map((url) => url.split("?")[0]);
      assert.match(path, /^(?:\/(?!\/)(?:[\w.~!$&'()*+,;=:@-]|%(?!2F|5C|00)[0-9A-F]{2})*)+$/, said(result));
      assert.ok(!path.split("/").some((segment) => [".", ".."].includes(decoded(segment).split(";")[0])), said(result));
    }
  });

  test("they are answered 200, 400, 401 or 405, or, where they are no paths, refused by the runtime itself", () => {
    for (const result of results) {
      const { target, status, answer } = result;
      // `workerd` gives up where `http://`, the host and the target make no URL. The Worker is not asked, and so there is no id.
      const isRefused = !target.startsWith("/") && status === 500 && !/\r\nx-request-id:/i.test(answer);
      assert.ok(isRefused || [200, 400, 401, 405].includes(status), said(result));
    }
  });

  test("they are of all kinds: many are refused for each reason, and many pass", () => {
    const counts = {};
    for (const { answer, status } of results) {
      const kind = answer.match(/"code":"(\w+)"/)?.[1] ?? status;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    for (const kind of [200, 400, 500, "invalid_path", "path_too_long", "missing_token"]) assert.ok(counts[kind] >= 20, JSON.stringify(counts));
  });
});

describe("requests that two readers would end at different places", () => {
  const HIDDEN = "GET /admin/hidden HTTP/1.1\r\nHost: h\r\n\r\n";
  const post = (...lines) => `POST /open HTTP/1.1\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
  const get = (...lines) => `GET /open HTTP/1.1\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
  const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;
  // Name, bytes, statuses, and the bodies with which the upstream was asked. A 500 without a word is the runtime's own.
  for (const [name, text, statuses, bodies, options] of [
    ["a length and chunks: the chunks count", `${post("Content-Length: 6", "Transfer-Encoding: chunked")}0\r\n\r\n${HIDDEN}`, [200, 401], [""]],
    ["chunks and a length: the chunks count", `${post("Transfer-Encoding: chunked", "Content-Length: 3")}${chunk(HIDDEN)}0\r\n\r\n`, [200], [HIDDEN]],
    ["two lengths", `${post("Content-Length: 5", "Content-Length: 6")}hello!`, [500], []],
    ["one length twice", `${post("Content-Length: 5", "Content-Length: 5")}hello`, [500], []],
    ["two lengths in one line", `${post("Content-Length: 5, 5")}hello`, [500], []],
    ["a length with a sign", `${post("Content-Length: +5")}hello`, [500], []],
    ["a length below zero", `${post("Content-Length: -5")}hello`, [500], []],
    ["a length in hexadecimal", `${post("Content-Length: 0x5")}hello`, [500], []],
    ["two codings", `${post("Transfer-Encoding: chunked", "Transfer-Encoding: identity")}${chunk("hello")}0\r\n\r\n`, [500], []],
    ["an unknown coding", `${post("Transfer-Encoding: xchunked")}${chunk("hello")}0\r\n\r\n`, [500], []],
    ["a coding within chunks", `${post("Transfer-Encoding: gzip, chunked")}${chunk("hello")}0\r\n\r\n`, [500], []],
    ["chunks said with a space before the colon", `${post("Transfer-Encoding : chunked", "Content-Length: 5")}0\r\n\r\n${HIDDEN}`, [200, 401], [""]],
    ["chunks said after a tab", `${post("Transfer-Encoding:\tchunked")}${chunk("hello")}0\r\n\r\n`, [200], ["hello"]],
    ["lines that end with LF alone", `POST /open HTTP/1.1\nHost: h\nContent-Length: 5\n\nhello${HIDDEN}`, [200, 401], ["hello"]],
    ["a folded line", get("X-Folded: a", " Content-Length: 5"), [200], [""]],
    ["a folded first line", `GET /open HTTP/1.1\r\n Host: h\r\n\r\n`, [400], []],
    ["a name with a space", get("X Name: a"), [400], []],
    ["a name that is empty", get(": a"), [400], []],
    ["a line without a colon", get("X-Name"), [400], []],
    ["NUL in a value", get("X-Name: a\0b"), [400], []],
    ["CR in a value", get("X-Name: a\rContent-Length: 5"), [200], [""], { body: "" }],
    ["a GET with a body that is a request", `${get(`Content-Length: ${HIDDEN.length}`)}${HIDDEN}`, [200], [""]],
    ["a GET with chunks that are a request", `${get("Transfer-Encoding: chunked")}${chunk(HIDDEN)}0\r\n\r\n`, [200], [""]],
    ["a HEAD with a body that is a request", `${get(`Content-Length: ${HIDDEN.length}`).replace("GET", "HEAD")}${HIDDEN}`, [200], [""], { isHead: true }],
    ["two requests at once", `${get()}${HIDDEN}`, [200, 401], [""]],
    ["more bytes than the length says", `${post("Content-Length: 5")}hello${HIDDEN}`, [200, 401], ["hello"]],
    ["fewer bytes than the length says", `${post("Content-Length: 50")}hello`, [502], [], { halfClose: true }],
    ["chunks that do not end", `${post("Transfer-Encoding: chunked")}${chunk("hello")}`, [502], [], { halfClose: true }],
    ["a chunk of no size", `${post("Transfer-Encoding: chunked")}zz\r\nhello\r\n0\r\n\r\n`, [502], []],
    ["a wish for 100 Continue", `${post("Content-Length: 5", "Expect: 100-continue")}hello`, [200], ["hello"]],
  ]) {
    test(name, async () => {
      const before = up.seen.length;
      whole.length = 0;
      const { answers } = await exchange(text, statuses.length, options);
      assert.deepEqual(answers.map(statusOf), statuses, answers.join("\n"));
      const forwarded = answers.filter((answer) => statusOf(answer) === 200).map((answer) => answer.slice(answer.indexOf("\r\n\r\n") + 4));
      assert.deepEqual(forwarded.map((body) => (options?.isHead ? "" : JSON.parse(body).body)), bodies);
      assert.equal(whole.length, bodies.length, "the upstream took more for whole than there was");
      assert.ok(up.seen.slice(before).every(({ url }) => url === "/open"), "what was hidden was forwarded");
      assert.equal((await gate.request("/open")).status, 200);
    });
  }
});

/** Sends one request and returns its status and what the upstream got of it. */
async function send(text, options) {
  const before = up.seen.length;
  const { answers } = await exchange(text, 1, { more: 0, ...options });
  assert.equal(answers.length, 1, answers.join("\n"));
  return { status: statusOf(answers[0]), answer: answers[0], seen: up.seen.slice(before) };
}

describe("methods", () => {
  const known = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "PROPFIND", "PROPPATCH", "REPORT", "SEARCH", "QUERY", "MKCOL", "COPY",
    "MOVE", "LOCK", "UNLOCK", "ACL", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "MERGE", "CHECKOUT", "MKACTIVITY",
  ];
  for (const method of known) {
    test(`${method} needs the token that GET needs, and arrives as itself where none is needed`, async () => {
      const ask = (path) => send(`${method} ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n`, { isHead: method === "HEAD" });
      for (const path of ["/admin/x", "/private/orders"]) {
        const { status, seen } = await ask(path);
        assert.deepEqual([status, seen.length], [401, 0], path);
      }
      const { status, seen } = await ask("/open");
      assert.deepEqual([status, seen.map((request) => request.method)], [200, [method]]);
      assert.equal((await ask("/read")).status, ["GET", "HEAD"].includes(method) ? 200 : 405);
    });
  }

  // The runtime's own table of methods ends here. If it grows, these become rows above.
  for (const method of ["get", "Get", "FOO", "M-SEARCH", "GETX", "GE", "G\0T", "", "CONNECT", "\xc7ET"]) {
    test(`${JSON.stringify(method)} is refused by the runtime, with a token too`, async () => {
      const token = hs();
      for (const path of ["/admin/x", "/open", "/read"]) {
        const { status, seen } = await send(`${method} ${path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\n\r\n`);
        assert.ok([400, 500, 501].includes(status), `${status}`);
        assert.equal(seen.length, 0);
      }
    });
  }

  for (const name of ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"]) {
    test(`${name} does not change them`, async () => {
      const ask = (method, path, override) => send(`${method} ${path} HTTP/1.1\r\nHost: h\r\n${name}: ${override}\r\nContent-Length: 0\r\n\r\n`);
      assert.equal((await ask("POST", "/read", "GET")).status, 405);
      assert.equal((await ask("POST", "/admin/x", "OPTIONS")).status, 401);
      const { status, seen } = await ask("GET", "/read", "DELETE");
      assert.deepEqual([status, seen.map(({ method }) => method)], [200, ["GET"]]);
    });
  }
});

describe("what else might say where a request goes", () => {
  for (const name of ["X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-Prefix", "X-Forwarded-URI", "Content-Location", "Referer"]) {
    test(`${name} does not change the route`, async () => {
      const ask = (path, other) => send(`GET ${path} HTTP/1.1\r\nHost: h\r\n${name}: ${other}\r\n\r\n`);
      assert.equal((await ask("/admin/x", "/open")).status, 401);
      const { status, seen } = await ask("/open", "/admin/x");
      assert.deepEqual([status, seen.map(({ url }) => url)], [200, ["/open"]]);
    });
  }

  // A name, the `Host` lines, and whether the Worker is asked at all.
  for (const [name, hosts, isAsked] of [
    ["a name", ["h"], true],
    ["a name with a port", ["h:8080"], true],
    ["a name in capitals", ["GW.Example"], true],
    ["an IPv6 address", ["[::1]:80"], true],
    ["a port that is none", ["h:99999"], true],
    ["half an IPv6 address", ["[::"], true],
    ["the upstream's own", ["127.0.0.1"], true],
    ["none", [], false],
    ["nothing", [""], false],
    ["two", ["h", "h"], false],
    ["a path", ["h/open"], false],
    ["a path and the end of one", ["h/open?"], false],
    ["a fragment", ["h/open#"], false],
    ["dots", ["h/.."], false],
    ["a backslash", ["h\\open"], false],
    ["a user", ["u@h"], false],
    ["a space", ["h h"], false],
    ["a percent sign", ["%2fopen"], false],
    ["bytes beyond ASCII", ["\xff"], false],
  ]) {
    test(`Host that is ${name} opens nothing, and ${isAsked ? "is told in X-Forwarded-Host alone" : "is refused by the runtime"}`, async () => {
      const ask = (path) => send(`GET ${path} HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}\r\n`).join("")}\r\n`);
      for (const path of ["/admin/x", "//admin/x", "/private/orders"]) {
        const { status, seen } = await ask(path);
        assert.ok(isAsked ? status === 401 : [400, 500].includes(status), `${status}`);
        assert.equal(seen.length, 0);
      }
      const { status, seen } = await ask("/open");
      if (!isAsked) return assert.equal(seen.length, 0);
      assert.deepEqual([status, seen[0].url, seen[0].headers.host, seen[0].headers["x-forwarded-host"]], [200, "/open", new URL(up.url).host, hosts[0]]);
    });
  }
});

describe("an identity header of the client's own", () => {
  for (const [name, line] of [
    ["as it is written", "X-User-Id: forged"],
    ["in small letters", "x-user-id: forged"],
    ["with underscores", "x_user_id: forged"],
    ["with one underscore", "X-User_Id: forged"],
    ["with the other underscore", "X_USER-ID: forged"],
    ["with spaces after the value", "X-User-Id: forged   \t "],
    ["with no space before the value", "X-User-Id:forged"],
    ["with spaces before the colon", "X-User-Id  : forged"],
    ["with a tab before the colon", "X_User_Id\t: forged"],
    ["twice", "X-User-Id: forged\r\nX-User-Id: forged"],
    ["in both spellings", "X-User-Id: forged\r\nX_User_Id: forged"],
    ["after CR alone", "X-Name: a\rX-User-Id: forged"],
    ["folded", "X-User-Id:\r\n forged"],
    ["after a folded line", "X-Name: a\r\n b\r\nX-User-Id: forged"],
    ["named by Connection", "Connection: x-user-id\r\nX-User-Id: forged"],
    ["after 500 others", `${Array.from({ length: 500 }, (_, number) => `X-${number}: 1\r\n`).join("")}X-User-Id: forged`],
  ]) {
    test(`${name} does not arrive, with a token or without`, async () => {
      const ask = (path, more = "") => send(`GET ${path} HTTP/1.1\r\nHost: h\r\n${more}${line}\r\n\r\n`);
      const open = await ask("/open");
      assert.equal(open.status, 200);
      assert.doesNotMatch(open.seen[0].rawHeaders.join("\n"), /forged|user.id/i);
      const closed = await ask("/admin/x", `Authorization: Bearer ${hs(claims({ sub: "real" }))}\r\n`);
      assert.equal(closed.status, 200);
      assert.doesNotMatch(closed.seen[0].rawHeaders.join("\n"), /forged/);
      assert.equal(closed.seen[0].headers["x-user-id"], "real");
    });
  }

  test("does not come in a trailer", async () => {
    const { answers } = await exchange("POST /open HTTP/1.1\r\nHost: h\r\nTrailer: X-User-Id\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-User-Id: forged\r\n\r\n", 1);
    assert.equal(statusOf(answers[0]), 200);
    assert.doesNotMatch(answers[0], /forged|trailer/i);
  });
});
