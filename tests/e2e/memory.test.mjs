// What the gateway holds while bodies go through it, and what becomes of bodies that are cut off.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gateway, upstream } from "./harness.mjs";

const MEGABYTE = 1024 * 1024;
/** A Worker has 128 MB: a body of this size must not be held. */
const BODY = 200 * MEGABYTE;
const ALLOWED = 40 * MEGABYTE;
const CONFIG = {
  servers: [{ alias: "up", url: "$env.UP" }],
  cors: { allow_origins: ["https://app.example"] },
  paths: [{ method: "ANY", path: "/{.+}", integration: { type: "http_proxy", server: "up" } }],
};

const chunk = Buffer.alloc(MEGABYTE);
for (let at = 0; at < chunk.length; at += 1) chunk[at] = (at * 31 + (at >> 8) * 17) & 255;
const digestOf = (bytes) => {
  const hash = createHash("sha256");
  for (let left = bytes; left > 0; left -= chunk.length) hash.update(chunk.subarray(0, Math.min(left, chunk.length)));
  return hash.digest("hex");
};

/** Writes `bytes`, as fast as they are taken and no faster, and counts those that it `gave`. Stops where nobody takes them any more. */
async function pour(to, bytes, entry = {}) {
  const gone = new Promise((resolve) => to.once("close", resolve));
  for (let left = bytes; left > 0 && !to.destroyed; left -= chunk.length) {
    const piece = chunk.subarray(0, Math.min(left, chunk.length));
    entry.gave += piece.length;
    if (!to.write(piece)) await Promise.race([gone, new Promise((resolve) => to.once("drain", resolve))]);
  }
}

let gate;
let up;
/** What the upstream knows of each request: the bytes of its body and of its answer, and whether it saw an end. */
const told = new Map();

const handlers = {
  "/digest": async (request, response, entry) => {
    const hash = createHash("sha256");
    request.on("data", (piece) => hash.update(piece));
    request.on("end", () => response.end(JSON.stringify({ bytes: entry.got, digest: hash.digest("hex") })));
  },
  "/download": async (request, response, entry) => {
    const bytes = Number(request.headers["x-bytes"]);
    if (request.headers["x-sized"]) response.setHeader("content-length", bytes);
    await pour(response, bytes, entry);
    response.end();
  },
  // Reads a little now and then.
  "/sip": async (request, response) => {
    while (!request.destroyed && !request.readableEnded) {
      request.pause();
      await sleep(50);
      request.read(16 * 1024);
    }
    response.end();
  },
};

before(async () => {
  up = await upstream((request, response) => {
    const handler = handlers[request.url];
    if (handler === undefined) return false;
    const entry = { got: 0, gave: 0, whole: false, closed: false };
    told.set(request.headers["x-name"], entry);
    if (request.method === "POST") request.on("data", (piece) => (entry.got += piece.length)).on("end", () => (entry.whole = true));
    request.on("error", () => {});
    response.on("close", () => Object.assign(entry, { closed: true, whole: entry.whole || response.writableFinished }));
    handler(request, response, entry);
    return true;
  });
  gate = await gateway(CONFIG, { bindings: { UP: up.url } });
});
after(async () => {
  await gate?.stop();
  await up?.stop();
});

let names = 0;
const fresh = () => `n${(names += 1)}`;

function get(path, headers = {}) {
  return new Promise((resolve, reject) => httpRequest(new URL(path, gate.url), { headers, agent: false }, resolve).on("error", reject).end());
}

async function download(bytes, headers = {}) {
  const response = await get("/download", { "x-name": fresh(), "x-bytes": bytes, ...headers });
  const hash = createHash("sha256");
  let got = 0;
  for await (const piece of response) {
    got += piece.length;
    hash.update(piece);
  }
  return { status: response.statusCode, bytes: got, digest: hash.digest("hex") };
}

async function upload(bytes, headers = {}) {
  const sent = httpRequest(new URL("/digest", gate.url), { method: "POST", headers: { "x-name": fresh(), ...headers }, agent: false });
  const answer = new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", async (response) => {
      let text = "";
      for await (const piece of response) text += piece;
      resolve({ status: response.statusCode, ...JSON.parse(text) });
    });
  });
  await pour(sent, bytes);
  sent.end();
  return answer;
}

let pid;

/** Bytes that workerd holds, or `undefined` where /proc does not tell. */
function memory() {
  try {
    pid ??= execFileSync("pgrep", ["-P", String(process.pid), "workerd"], { encoding: "utf8" }).trim();
    return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) * 1024;
  } catch {
    return undefined;
  }
}

/** Does `work`, and holds the most that workerd had meanwhile against what it had before. */
async function measured(t, allowed, work) {
  const before = memory();
  if (before === undefined) {
    t.diagnostic("memory was not measured: /proc is not here");
    return work();
  }
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, memory())), 100);
  const result = await work().finally(() => clearInterval(timer));
  most = Math.max(most, memory());
  t.diagnostic(`${((most - before) / MEGABYTE).toFixed(1)} MB more than ${(before / MEGABYTE).toFixed(1)} MB`);
  assert.ok(most - before < allowed, `grew by ${(most - before) / MEGABYTE} MB`);
  return result;
}

/** Waits until `holds`, for ten seconds at most. */
async function until(holds, what) {
  for (let tries = 0; tries < 200 && !holds(); tries += 1) await sleep(50);
  assert.ok(holds(), typeof what === "function" ? what() : what);
}

describe("bodies of 200 MB pass in memory for a few, beside clients and upstreams that are slow", () => {
  const slow = [];
  const flooded = { gave: 0 };
  before(async () => {
    await upload(5 * MEGABYTE);
    await download(5 * MEGABYTE);
    // A client that reads 16 KB now and then of what never ends.
    const reader = await get("/download", { "x-name": "slow-reader", "x-bytes": 1e12 });
    reader.pause();
    const sips = setInterval(() => reader.read(16 * 1024), 50);
    // One that writes 1 KB now and then.
    const writer = httpRequest(new URL("/digest", gate.url), { method: "POST", headers: { "x-name": "slow-writer" }, agent: false });
    const drops = setInterval(() => writer.write(chunk.subarray(0, 1024)), 50);
    // And one that writes all it can to an upstream that reads 16 KB now and then.
    const flood = httpRequest(new URL("/sip", gate.url), { method: "POST", headers: { "x-name": "slow-upstream" }, agent: false });
    pour(flood, 1e12, flooded);
    for (const one of [reader, writer, flood]) one.on("error", () => {});
    slow.push(() => {
      for (const timer of [sips, drops]) clearInterval(timer);
      for (const one of [reader, writer, flood]) one.destroy();
    });
    await until(() => told.get("slow-reader")?.gave > 0 && ["slow-writer", "slow-upstream"].every((name) => told.get(name)?.got > 0), "the slow ones do not begin");
  });
  after(() => slow.forEach((stop) => stop()));

  for (const [name, headers] of [["in chunks", {}], ["of a known length", { "content-length": BODY }]]) {
    test(`up, ${name}`, async (t) => {
      const { status, bytes, digest } = await measured(t, ALLOWED, () => upload(BODY, headers));
      assert.deepEqual([status, bytes, digest], [200, BODY, digestOf(BODY)]);
    });
  }

  for (const [name, headers] of [["in chunks", {}], ["of a known length", { "x-sized": "1" }], ["with headers that are edited", { origin: "https://app.example" }]]) {
    test(`down, ${name}`, async (t) => {
      const { status, bytes, digest } = await measured(t, ALLOWED, () => download(BODY, headers));
      assert.deepEqual([status, bytes, digest], [200, BODY, digestOf(BODY)]);
    });
  }

  test("and all of them at once", async (t) => {
    const results = await measured(t, ALLOWED, () => Promise.all([upload(BODY / 4), download(BODY / 4), upload(BODY / 4), download(BODY / 4)]));
    for (const { status, bytes } of results) assert.deepEqual([status, bytes], [200, BODY / 4]);
  });

  test("and the slow ones are still served, and nothing was read ahead for them", async () => {
    const [reader, writer, sipping] = ["slow-reader", "slow-writer", "slow-upstream"].map((name) => told.get(name));
    for (const entry of [writer, sipping]) {
      const before = entry.got;
      await until(() => entry.got > before, "a slow one is served no longer");
    }
    assert.ok(reader.gave < ALLOWED, `the upstream could write ${reader.gave} bytes that nobody has read`);
    assert.ok(flooded.gave < ALLOWED, `the client could write ${flooded.gave} bytes that nobody has read`);
    for (const entry of [reader, writer, sipping]) assert.equal(entry.closed, false);
  });
});

describe("fifty clients that go away in the middle", () => {
  const CLIENTS = 50;

  /** A client in the middle of the request `name`, with 100 kB of the one body or the other behind it. */
  async function begun(name, head, rest) {
    const socket = connect(Number(gate.url.port), gate.url.hostname);
    let got = 0;
    socket.on("error", () => {}).on("data", (piece) => {
      got += piece.length;
      if (got > 100_000) socket.pause();
    });
    socket.write(`${head} HTTP/1.1\r\nHost: h\r\nX-Name: ${name}\r\n${rest}`);
    await until(() => got > 100_000 || told.get(name)?.got >= 100_000, () => `${name} does not begin`);
    return socket;
  }

  const download = (name) => begun(name, "GET /download", "X-Bytes: 1000000000\r\n\r\n");
  const sized = (name) => begun(name, "POST /digest", `Content-Length: ${BODY}\r\n\r\n${"x".repeat(100_000)}`);
  const chunked = (name) => begun(name, "POST /digest", `Transfer-Encoding: chunked\r\n\r\n186a0\r\n${"x".repeat(100_000)}\r\n`);
  const close = (socket) => socket.destroy();
  const reset = (socket) => socket.resetAndDestroy();

  /** The clients begin, with a connection to the upstream that is used already, as most are; they go; and the upstream sees it. */
  async function round(begin, leave) {
    await upload(1000);
    const clients = Array.from({ length: CLIENTS }, fresh);
    const sockets = await Promise.all(clients.map(begin));
    sockets.forEach(leave);
    await until(() => clients.every((name) => told.get(name).closed), () => `the upstream still waits for ${clients.filter((name) => !told.get(name).closed).length} of them`);
    const whole = clients.filter((name) => told.get(name).whole);
    assert.equal(whole.length, 0, `${whole.length} of ${CLIENTS} bodies that were cut short look whole to the upstream`);
  }

  for (const [name, begin, leave] of [
    ["of a download, by closing", download, close],
    ["of a download, by a reset", download, reset],
    ["of an upload of a known length, by closing", sized, close],
    ["of an upload of a known length, by a reset", sized, reset],
    ["of an upload in chunks, by closing", chunked, close],
    ["of an upload in chunks, by a reset", chunked, reset],
  ]) {
    test(`${name}: the upstream sees each go, memory stays, the next is served`, async (t) => {
      await round(begin, leave);
      await measured(t, 20 * MEGABYTE, async () => {
        for (let count = 0; count < 3; count += 1) await round(begin, leave);
      });
      const { status, bytes } = await upload(MEGABYTE);
      assert.deepEqual([status, bytes], [200, MEGABYTE]);
    });
  }
});
