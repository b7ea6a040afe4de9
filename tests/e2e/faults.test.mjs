// Upstreams that misbehave, byte by byte: what the client is told, what it is not, and how often they are asked again.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { gateway } from "./harness.mjs";

const ORIGIN = "https://app.example";
const TIMEOUT = 700;
const route = (name, integration, more) => ({ method: "ANY", path: `/${name}/{.+}`, integration: { type: "http_proxy", server: "up", timeout_ms: TIMEOUT, ...integration }, ...more });
const CONFIG = {
  servers: [{ alias: "up", url: "$env.UP" }],
  paths: [
    route("plain"),
    route("cors", {}, { cors: { allow_origins: [ORIGIN] } }),
    route("twice", { timeout_ms: 5000, retries: { attempts: 2 } }, { cors: { allow_origins: [ORIGIN] } }),
    route("busy", { timeout_ms: 5000, retries: { attempts: 2, on: [503] } }),
    route("gone", { timeout_ms: 5000, retries: { attempts: 2, on: ["unreachable"] } }),
    route("often", { timeout_ms: 5000, retries: { attempts: 5 } }),
    route("hasty", { retries: { attempts: 5 } }),
  ],
};

/** An upstream that speaks bytes. Each request is noted when its head is there, and given to the handler of its path when its body is. */
async function byteServer() {
  const handlers = new Map();
  const asked = [];
  const server = createServer((socket) => {
    let unread = "";
    socket.setEncoding("latin1").on("error", () => {});
    socket.on("data", (text) => {
      unread += text;
      for (;;) {
        const [head] = unread.split("\r\n\r\n", 1);
        if (head.length === unread.length) return;
        const [, method, path] = head.match(/^(\S+) (\S+)/);
        const length = Number(head.match(/\r\ncontent-length: (\d+)/i)?.[1] ?? 0);
        const end = head.length + 4 + length;
        const handler = handlers.get(path);
        if (unread.length < end && !handler.early) return;
        unread = unread.slice(end);
        const before = asked.filter((one) => one.path === path).length;
        asked.push({ method, path, head, at: Date.now(), socket });
        handler(socket, before);
      }
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** A path of its own for `handler`, which gets the connection and how often the path was asked for before. */
    serve(handler) {
      const path = `/${handlers.size}`;
      handlers.set(path, handler);
      return path;
    },
    asked: (path) => asked.filter((one) => one.path === path),
    stop: () => server.close(),
  };
}

let gate;
let up;
before(async () => {
  up = await byteServer();
  gate = await gateway(CONFIG, { bindings: { UP: up.url } });
});
after(async () => {
  await gate?.stop();
  up?.stop();
});

const answer = (status, body = "", ...lines) => [`HTTP/1.1 ${status} Word`, `Content-Length: ${body.length}`, ...lines, "", body].join("\r\n");
const chunked = (body) => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`;

/** What the client gets for a GET, to the end of the connection if it is not whole before. */
async function get(path, method = "GET") {
  const text = await gate.raw(`${method} ${path} HTTP/1.1\nHost: h\nOrigin: ${ORIGIN}`);
  const [head, ...body] = text.split("\r\n\r\n");
  const [line, ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(lines.map((one) => [one.slice(0, one.indexOf(":")).toLowerCase(), one.slice(one.indexOf(":") + 2)]));
  return { status: Number(line.split(" ")[1]), headers, body: body.join("\r\n\r\n") };
}

const REFUSALS = {
  502: { error: "bad_gateway", code: "upstream_unreachable", message: "Upstream unreachable" },
  504: { error: "gateway_timeout", code: "upstream_timeout", message: "Upstream timed out" },
};

/** Holds a refusal against the one shape that there is: not a word more. */
function assertRefused({ status, headers, body }, expected, cors) {
  assert.equal(status, expected, body);
  const { requestId, ...rest } = JSON.parse(body);
  assert.deepEqual(rest, { ...REFUSALS[expected], statusCode: expected });
  const { "x-request-id": id, ...named } = headers;
  assert.equal(id, requestId);
  assert.deepEqual(named, {
    "content-length": String(body.length), "content-type": "application/json", "cache-control": "no-store",
    ...(cors ? { "access-control-allow-origin": ORIGIN, vary: "Origin" } : {}),
  });
}

describe("an upstream without an answer is a 502, one that is late a 504, with cross-origin headers and no word of what happened", () => {
  const head = "HTTP/1.1 200 OK\r\n";
  for (const [name, expected, handler] of [
    ["that resets the connection", 502, (socket) => socket.resetAndDestroy()],
    ["that closes the connection", 502, (socket) => socket.end()],
    ["that closes it in the middle of the head", 502, (socket) => socket.end(`${head}Content-Le`)],
    ["that resets it in the middle of the head", 502, (socket) => void socket.write(`${head}Content-Le`, () => setTimeout(() => socket.resetAndDestroy(), 20))],
    ["that speaks something else", 502, (socket) => socket.end("SSH-2.0-Server_1.0\r\n\r\n")],
    ["that speaks something like it", 502, (socket) => socket.end("ICY 200 OK\r\n\r\nfine")],
    ["whose status is no number", 502, (socket) => socket.end("HTTP/1.1 OK 200\r\n\r\n")],
    ["whose status is 0", 502, (socket) => socket.end("HTTP/1.1 000 Nothing\r\n\r\n")],
    ["with a header line without a colon", 502, (socket) => socket.end(`${head}secret words\r\n\r\n`)],
    ["with NUL in a header", 502, (socket) => socket.end(`${head}X-Name: a\0b\r\n\r\n`)],
    ["with two lengths", 502, (socket) => socket.end(`${head}Content-Length: 2\r\nContent-Length: 4\r\n\r\nfine`)],
    ["with a length below zero", 502, (socket) => socket.end(`${head}Content-Length: -4\r\n\r\nfine`)],
    ["with a header of 1 MB", 502, (socket) => socket.end(`${head}X-Name: ${"a".repeat(1024 * 1024)}\r\n\r\n`)],
    ["with 20 000 headers", 502, (socket) => socket.end(`${head}${Array.from({ length: 20_000 }, (_, number) => `X-${number}: ${"a".repeat(50)}\r\n`).join("")}\r\n`)],
    ["with hints before its answer", 502, (socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${answer(200, "fine")}`)],
    ["that asks for more before its answer", 502, (socket) => socket.write(`HTTP/1.1 100 Continue\r\n\r\n${answer(200, "fine")}`)],
    ["that switches to what nobody asked for", 502, (socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")],
    ["with the status 99", 502, (socket) => socket.end(answer(99, "fine"))],
    ["with the status 600", 502, (socket) => socket.end(answer(600, "fine"))],
    ["with the status 999999", 502, (socket) => socket.end(answer(999999, "fine"))],
    ["that says nothing", 504, () => {}],
    ["that stops in the middle of the head", 504, (socket) => socket.write(`${head}X-Name`)],
    ["whose head comes byte by byte", 504, async (socket) => {
      for (const byte of answer(200, "fine")) if (!socket.destroyed && socket.write(byte)) await sleep(50);
    }],
  ]) {
    for (const prefix of ["plain", "cors"]) {
      test(`${name} (${prefix})`, async () => {
        const path = up.serve(handler);
        assertRefused(await get(`/${prefix}${path}`), expected, prefix === "cors");
        assert.equal(up.asked(path).length, 1);
      });
    }
  }

  for (const method of ["GET", "POST"]) {
    test(`and one that is late sees the gateway leave (${method})`, async () => {
      const path = up.serve(() => {});
      // Over a connection that is kept: nothing but the gateway ends this.
      assert.equal((await gate.request(`/plain${path}`, { method })).status, 504);
      const { socket } = up.asked(path)[0];
      for (let waited = 0; !socket.destroyed && waited < 3000; waited += 20) await sleep(20);
      assert.ok(socket.destroyed, "the connection is still open");
    });
  }

  test("and the log says where, without the path", async () => {
    assert.match(gate.log(), new RegExp(`"reason":"${up.url}: no response head in ${TIMEOUT} ms"`));
    assert.ok(!gate.log().split("\n").some((line) => line.startsWith('{"time"') && line.includes(`${up.url}/`)));
  });
});

describe("an answer with faults passes as far as it is sound", () => {
  for (const [name, expected, handler] of [
    ["shorter than its length, and closed", [200, "half"], (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")],
    ["shorter than its length, and reset", [200, "half"], (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", () => setTimeout(() => socket.resetAndDestroy(), 50))],
    ["of unknown length", [200, "fine"], (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nfine")],
    ["of HTTP/1.0", [200, "fine"], (socket) => socket.end("HTTP/1.0 200 OK\r\n\r\nfine")],
    ["without a reason", [200, "fine"], (socket) => socket.end("HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nfine")],
    ["with a length and chunks", [200, "fine"], (socket) => socket.end(`${chunked("fine").replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\n")}0\r\n\r\n`)],
    ["said to be gzip", [200, "fine"], (socket) => socket.end(answer(200, "fine", "Content-Encoding: gzip"))],
    ["with a header beyond ASCII", [200, "fine"], (socket) => socket.end(answer(200, "fine", "X-Name: \xff"))],
    ["with a head of 50 kB", [200, "fine"], (socket) => socket.end(answer(200, "fine", `X-Name: ${"a".repeat(50_000)}`))],
  ]) {
    for (const prefix of ["plain", "cors"]) {
      test(`${name} (${prefix})`, async () => {
        const { status, headers, body } = await get(`/${prefix}${up.serve(handler)}`);
        assert.deepEqual([status, body.replace(/^4\r\nfine\r\n0\r\n\r\n$/, "fine")], expected);
        assert.equal(headers["access-control-allow-origin"], prefix === "cors" ? ORIGIN : undefined);
        if (body === "half") assert.equal(headers["content-length"], "100", "the client cannot tell that it is not whole");
      });
    }
  }

  test("a body that comes slowly is not cut off by timeout_ms", async () => {
    const path = up.serve(async (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (let count = 0; count < 6; count += 1) {
        await sleep(TIMEOUT / 3);
        socket.write(`1\r\n${count}\r\n`);
      }
      socket.write("0\r\n\r\n");
    });
    const started = Date.now();
    assert.equal(await (await gate.request(`/plain${path}`)).text(), "012345");
    assert.ok(Date.now() - started > 1.9 * TIMEOUT);
  });

  test("after each the gateway serves the next request", async () => {
    const path = up.serve((socket) => socket.write(answer(200, "fine")));
    for (let count = 0; count < 20; count += 1) assert.equal((await get(`/plain${path}`)).body, "fine");
  });
});

describe("connections that are kept alive", () => {
  const ask = async (path) => (await gate.request(path)).status;

  for (const pause of [0, 5, 50]) {
    test(`that the upstream closes ${pause} ms after an answer are not used again`, async () => {
      const path = up.serve((socket) => void socket.write(answer(200, "fine"), () => setTimeout(() => socket.end(), pause)));
      for (let count = 0; count < 10; count += 1) {
        assert.equal(await ask(`/plain${path}`), 200, `request ${count}`);
        // Destroyed is what the gateway has closed too.
        const { socket } = up.asked(path).at(-1);
        for (let tries = 0; tries < 200 && !socket.destroyed; tries += 1) await sleep(10);
        assert.ok(socket.destroyed, "the gateway keeps a connection that is closed");
      }
    });
  }

  test("that the upstream says it closes are not used again", async () => {
    const path = up.serve((socket) => socket.end(answer(200, "fine", "Connection: close")));
    for (let count = 0; count < 20; count += 1) assert.equal(await ask(`/plain${path}`), 200, `request ${count}`);
  });

  // Closed while the next request is on its way: nobody can know whether it was acted upon, so a POST is not sent again.
  for (const [name, method, prefix, expected, asked] of [
    ["is a 502 without retries", "GET", "plain", 502, 1],
    ["is asked again with them", "GET", "twice", 200, 2],
    ["is a 502 for a POST even with them", "POST", "twice", 502, 1],
  ]) {
    test(`one that dies when it is used again ${name}`, async () => {
      const used = new WeakSet();
      const good = up.serve((socket) => used.add(socket) && socket.write(answer(200, "fine")));
      const path = up.serve((socket) => (used.has(socket) ? socket.resetAndDestroy() : socket.write(answer(200, "fine"))));
      assert.equal(await ask(`/plain${good}`), 200);
      const response = await gate.request(`/${prefix}${path}`, { method });
      assert.deepEqual([response.status, up.asked(path).length], [expected, asked]);
    });
  }
});

describe("an answer that comes before the request's body was read", () => {
  const LARGE = 30 * 1024 * 1024;
  const early = (handler) => up.serve(Object.assign(handler, { early: true }));

  /**
   * Uploads, and returns what came back, however far the upload got. A client whose write meets a closed connection loses the answer that it
   * has not read yet (RFC 9112 section 9.6): that says nothing of the gateway, so it asks again.
   */
  async function upload(path, headers) {
    for (let tries = 1; ; tries += 1) {
      const answered = await uploadOnce(path, headers);
      if (answered !== undefined) return answered;
      assert.ok(tries < 20, "closed without an answer, again and again");
    }
  }

  function uploadOnce(path, headers) {
    const sent = httpRequest(new URL(path, gate.url), { method: "POST", headers, agent: false });
    sent.on("error", () => {});
    const piece = Buffer.alloc(256 * 1024, 120);
    (async () => {
      for (let left = LARGE; left > 0 && !sent.destroyed; left -= piece.length) {
        if (!sent.write(piece)) await new Promise((resolve) => sent.once("drain", resolve).once("close", resolve));
      }
      sent.end();
    })();
    return new Promise((resolve) => {
      sent.setMaxListeners(1000).on("close", () => resolve(undefined));
      sent.on("response", async (response) => {
        let text = "";
        try {
          for await (const chunk of response) text += chunk;
        } catch {
          return resolve(undefined);
        }
        sent.destroy();
        resolve({ status: response.statusCode, text });
      });
    });
  }

  for (const [name, handler] of [
    ["from an upstream that stops reading", (socket) => void socket.pause().write(answer(413, "no"))],
    ["from one that closes", (socket) => void socket.pause().end(answer(413, "no", "Connection: close"))],
    ["from one that closes later", (socket) => void socket.pause().write(answer(413, "no", "Connection: close"), () => setTimeout(() => socket.end(), 50))],
    ["from one that resets", (socket) => void socket.pause().write(answer(413, "no", "Connection: close"), () => setTimeout(() => socket.resetAndDestroy(), 100))],
  ]) {
    for (const [kind, headers] of [["of a known length", { "content-length": LARGE }], ["in chunks", {}]]) {
      test(`${name}, body ${kind}, reaches the client`, async () => {
        const path = early(handler);
        const { status, text } = await upload(`/plain${path}`, headers);
        assert.deepEqual([status, text], [413, "no"]);
        // Nobody reads from these connections any more, and the runtime may use one again: the next test is not to meet it.
        for (const { socket } of up.asked(path)) socket.destroy();
        await sleep(20);
      });
    }
  }

  test("and no answer at all is a 502", async () => {
    const { status, text } = await upload(`/plain${early((socket) => void setTimeout(() => socket.pause().resetAndDestroy(), 20))}`, { "content-length": LARGE });
    assert.deepEqual([status, JSON.parse(text).code], [502, "upstream_unreachable"]);
  });
});

describe("retries", () => {
  const [reset, half, silent] = ["reset", "half", "silent"];
  /** A path that is answered with one of `list` after the other, and then with the last again and again. */
  const sequence = (...list) => up.serve((socket, before) => {
    const next = list[Math.min(before, list.length - 1)];
    if (next === reset) socket.resetAndDestroy();
    else if (next === half) socket.end("HTTP/1.1 200 OK\r\nX-Na");
    else if (next !== silent) socket.write(typeof next === "number" ? answer(next, String(next), `X-Attempt: ${before + 1}`) : next);
  });

  for (const [name, method, prefix, answers, status, asked] of [
    ["a 503, then an answer", "GET", "twice", [503, 200], 200, 2],
    ["a 502 and a 504, then an answer", "GET", "twice", [502, 504, 200], 200, 3],
    ["503 for ever: the last of them is the answer", "GET", "twice", [503], 503, 3],
    ["a 500, which is not to be asked again", "GET", "twice", [500, 200], 500, 1],
    ["a 429, which is not either", "GET", "twice", [429, 200], 429, 1],
    ["a 502 where only 503 is", "GET", "busy", [502, 200], 502, 1],
    ["a 503 where only 503 is", "GET", "busy", [503, 200], 200, 2],
    ["a 503 where only no answer is", "GET", "gone", [503, 200], 503, 1],
    ["a reset, then an answer", "GET", "twice", [reset, 200], 200, 2],
    ["a reset where only 503 is to be asked again", "GET", "busy", [reset, 200], 502, 1],
    ["a reset where only no answer is", "GET", "gone", [reset, 200], 200, 2],
    ["resets for ever", "GET", "twice", [reset], 502, 3],
    ["a reset and a 503, then an answer", "GET", "twice", [reset, 503, 200], 200, 3],
    ["half a head, then an answer", "GET", "twice", [half, 200], 200, 2],
    ["silence, which has taken all the time", "GET", "hasty", [silent, 200], 504, 1],
    ["as often as five times", "GET", "often", [503, 503, 503, 503, 503, 200], 200, 6],
    ["HEAD", "HEAD", "twice", ["HTTP/1.1 503 Word\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"], 200, 2],
    ["OPTIONS", "OPTIONS", "twice", [503, 200], 200, 2],
    ["PROPFIND", "PROPFIND", "twice", [503, 200], 200, 2],
    ["REPORT", "REPORT", "twice", [503, 200], 200, 2],
    ["no route without retries", "GET", "plain", [503, 200], 503, 1],
  ]) {
    test(name, async () => {
      const path = sequence(...answers);
      const got = await get(`/${prefix}${path}`, method);
      assert.deepEqual([got.status, up.asked(path).length], [status, asked]);
      if (got.headers["x-attempt"]) assert.equal(got.headers["x-attempt"], String(asked), "the headers of another attempt");
      if (prefix === "twice") assert.equal(got.headers["access-control-allow-origin"], ORIGIN);
    });
  }

  test("are told in the log", async () => {
    const path = sequence(503, 503, 200);
    await get(`/twice${path}`);
    for (let tries = 0; tries < 20 && !gate.log().includes(`"path":"/twice${path}"`); tries += 1) await sleep(10);
    const line = gate.log().split("\n").find((one) => one.includes(`"path":"/twice${path}"`));
    assert.equal(JSON.parse(line).upstream.attempts, 3);
  });

  for (const method of ["POST", "PUT", "PATCH", "DELETE", "PURGE", "LOCK"]) {
    test(`are not for ${method}, with a body or without`, async () => {
      for (const body of [undefined, "hello"]) {
        for (const first of [503, reset]) {
          const path = sequence(first, 200);
          const response = await gate.request(`/twice${path}`, { method, body });
          assert.deepEqual([response.status, up.asked(path).length], [first === reset ? 502 : 503, 1]);
        }
      }
    });
  }

  for (const method of ["PROPFIND", "REPORT", "OPTIONS"]) {
    test(`are not for ${method} with a body`, async () => {
      const path = sequence(503, 200);
      const response = await gate.request(`/twice${path}`, { method, body: "hello" });
      assert.deepEqual([response.status, up.asked(path).length], [503, 1]);
    });
  }

  test("of a GET that came with a body are sent without one, as its first attempt was", async () => {
    const path = sequence(503, 200);
    const text = await gate.raw(`GET /twice${path} HTTP/1.1\nHost: h\nContent-Length: 5`, "hello");
    assert.match(text, /^HTTP\/1.1 200/);
    const heads = up.asked(path).map(({ head }) => head);
    assert.equal(heads.length, 2);
    for (const head of heads) assert.doesNotMatch(head, /content-length|transfer-encoding/i);
  });

  test("are not for the handshake of a WebSocket", async () => {
    const path = sequence(503, 200);
    const socket = new WebSocket(new URL(`/twice${path}`, gate.url.href.replace("http", "ws")));
    const status = await new Promise((resolve) => socket.on("unexpected-response", (_, response) => resolve(response.statusCode)).on("error", () => {}));
    assert.deepEqual([status, up.asked(path).length], [503, 1]);
  });

  test("carry the same request, with the same id", async () => {
    const path = sequence(503, 200);
    await get(`/twice${path}`);
    const [first, second] = up.asked(path).map(({ head }) => head);
    assert.equal(first, second);
  });

  const gaps = (path) => up.asked(path).map(({ at }, number, all) => at - (all[number - 1]?.at ?? at)).slice(1);

  test("wait longer each time", async () => {
    const path = sequence(503);
    await get(`/often${path}`);
    const waited = gaps(path);
    assert.equal(waited.length, 5);
    // At least half of 50 ms, 100 ms, …; timers may be a little early.
    waited.forEach((ms, number) => assert.ok(ms >= 25 * 2 ** number - 5, `${waited}`));
  });

  test("end in time, with the last answer", async () => {
    const path = sequence(503);
    const started = Date.now();
    const { status, body } = await get(`/hasty${path}`);
    assert.deepEqual([status, body], [503, "503"]);
    assert.ok(up.asked(path).length < 6, "all attempts were made");
    assert.ok(Date.now() - started < 3 * TIMEOUT);
  });

  test("do not wait for the body of the answer that they replace", async () => {
    let closed = false;
    const path = up.serve((socket, before) => {
      if (before > 0) return socket.write(answer(200, "fine"));
      socket.on("close", () => (closed = true)).write("HTTP/1.1 503 Word\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    });
    assert.equal((await get(`/twice${path}`)).body, "fine");
    for (let tries = 0; tries < 50 && !closed; tries += 1) await sleep(20);
    assert.ok(closed, "the connection of the first answer stays open");
  });

  for (const [name, told, least, most] of [
    ["in seconds", () => "1", 990, 3000],
    ["as a date", () => new Date(Date.now() + 2000).toUTCString(), 900, 4000],
    ["of no seconds", () => "0", 0, 2000],
    ["as a date that is past", () => new Date(Date.now() - 60_000).toUTCString(), 0, 2000],
    ["that says nothing", () => "soon", 20, 2000],
    ["that is empty", () => "", 20, 2000],
  ]) {
    test(`honour Retry-After ${name}`, async () => {
      const path = up.serve((socket, before) => socket.write(before === 0 ? answer(503, "busy", `Retry-After: ${told()}`) : answer(200, "fine")));
      const { body, headers } = await get(`/twice${path}`);
      assert.equal(body, "fine");
      assert.equal(headers["retry-after"], undefined);
      const [waited] = gaps(path);
      assert.ok(waited >= least && waited <= most, `${waited} ms`);
    });
  }

  for (const [name, told] of [["seconds", "30"], ["very many seconds", "9".repeat(400)], ["a date", new Date(Date.now() + 3_600_000).toUTCString()]]) {
    test(`are not made where Retry-After asks for more time than there is (${name}): the client is told instead`, async () => {
      const path = up.serve((socket) => socket.write(answer(503, "busy", `Retry-After: ${told}`)));
      const started = Date.now();
      const { status, headers, body } = await get(`/twice${path}`);
      assert.deepEqual([status, body, headers["retry-after"], up.asked(path).length], [503, "busy", told, 1]);
      assert.ok(Date.now() - started < 3000);
    });
  }
});

test("a fetch that throws at once, as older compatibility dates have it, is an upstream that cannot be reached", async (t) => {
  const patch = (code) => `globalThis.fetch = () => { throw new TypeError("secret words"); };\n${code}`;
  const gate = await gateway(CONFIG, { bindings: { UP: "http://127.0.0.1:1" }, patch });
  t.after(() => gate.stop());
  for (const [method, path] of [["GET", "/cors/x"], ["POST", "/cors/x"], ["GET", "/gone/x"]]) {
    const answer = await gate.request(path, { method, headers: { origin: ORIGIN }, ...(method === "POST" ? { body: "x" } : {}) });
    const text = await answer.text();
    assert.deepEqual([answer.status, JSON.parse(text).code], [502, "upstream_unreachable"], `${method} ${path}`);
    assert.ok(!text.includes("secret"));
    if (path === "/cors/x") assert.equal(answer.headers.get("access-control-allow-origin"), ORIGIN);
  }
});
