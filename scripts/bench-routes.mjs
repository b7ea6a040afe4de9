// `npm run bench:routes`: what many routes cost, in CPU time of the workerd process (Linux).
//
// First per request, with 10, 1000 and 10 000 routes: each figure is the median of interleaved rounds. Then from the start of the process to
// its first answer, above a Worker that does nothing at all. Machines differ and are noisy: the ratios count.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { Agent, get } from "node:http";
import { Miniflare } from "miniflare";
import { gateway } from "../tests/e2e/harness.mjs";

const [SETS, ROUNDS, REQUESTS, WARM_UP] = [5, 5, 500, 1000];
const SIZES = [10, 1000, 10_000];
const [STARTS, START_SIZES] = [7, [10, 100, 1000, 10_000]];

/** One parameter route and literals beside it, all at one place of the tree: nothing but the search tells them apart. */
const path = (number) => `/api/v1/resource-${String(number).padStart(5, "0")}`;
const configuration = (size) => ({
  log: { level: "off" },
  paths: [
    ...Array.from({ length: size - 1 }, (_, number) => ({ method: "GET", path: path(number), response: {} })),
    { method: "GET", path: "/api/v1/{name}/parts/{id}", response: {} },
  ],
});

const children = () => execFileSync("sh", ["-c", `pgrep -P ${process.pid} workerd || true`], { encoding: "utf8" }).trim().split("\n");

/** Starts a workerd and finds out which process it is. */
async function started(start) {
  const before = children();
  const [url, stop] = await start();
  return { url, stop, pid: children().find((child) => !before.includes(child)) };
}

const ours = (size) => started(async () => {
  const gate = await gateway(configuration(size));
  return [gate.url, gate.stop];
});
const empty = () => started(async () => {
  const script = "export default { fetch() { return Response.json({}); } };";
  const mf = new Miniflare({ modules: true, script, compatibilityDate: "2026-04-01", unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] });
  return [await mf.unsafeGetDirectURL(), () => mf.dispose()];
});

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const request = (url, expected) =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === expected ? resolve() : reject(new Error(`${url}: ${response.statusCode}`))));
    }).on("error", reject);
  });

/** Seconds of CPU that the threads of a process have had. Finer than the ticks of its `stat`, which are as long as a hundred requests. */
const cpu = (pid) => readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]), 0) / 1e9;

/** Microseconds of CPU per request. */
async function round({ pid, url }, target, expected, requests) {
  const before = cpu(pid);
  let left = requests;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (left-- > 0) await request(new URL(target, url), expected);
  }));
  return ((cpu(pid) - before) / requests) * 1e6;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const row = (name, cells) => console.log(name.padEnd(26) + cells.map((cell) => cell.padStart(16)).join(""));
const number = (value, digits = 0) => value.toFixed(digits);

const CASES = [
  ["the first route", () => path(0), 200],
  ["one in the middle", (size) => path(Math.floor(size / 2)), 200],
  ["the last route", (size) => path(size - 2), 200],
  ["a parameter route", () => "/api/v1/anything/parts/7", 200],
  ["no route (404)", () => "/api/v1/nothing", 404],
];

async function perRequest() {
  const figures = new Map(CASES.map(([name]) => [name, new Map(SIZES.map((size) => [size, []]))]));
  // Two processes that do the same differ by a tenth for as long as they live, so there are several of each size.
  for (let set = 0; set < SETS; set += 1) {
    const gates = new Map();
    for (const size of SIZES) gates.set(size, await ours(size));
    for (const size of SIZES) for (const [, target, status] of CASES) await round(gates.get(size), target(size), status, WARM_UP);
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      for (const [name, target, status] of CASES) {
        for (const size of SIZES) figures.get(name).get(size).push(await round(gates.get(size), target(size), status, REQUESTS));
      }
    }
    for (const gate of gates.values()) await gate.stop();
  }
  const taken = `medians of ${SETS} times ${ROUNDS} rounds of ${REQUESTS}`;
  console.log(`CPU of workerd per request, in µs, and as a multiple of that with ${SIZES[0]} routes: ${taken}`);
  row("", SIZES.map((size) => `${size} routes`));
  for (const [name, bySize] of figures) {
    const base = median(bySize.get(SIZES[0]));
    row(name, SIZES.map((size) => `${number(median(bySize.get(size)))} (${number(median(bySize.get(size)) / base, 2)})`));
  }
}

/** Milliseconds of CPU from the start of the process to its first answer. */
async function startUp(start, target) {
  const { url, stop, pid } = await start();
  await request(new URL(target, url), 200);
  const spent = cpu(pid) * 1000;
  agent.destroy();
  await stop();
  return spent;
}

async function perStart() {
  const nothing = [];
  const figures = new Map(START_SIZES.map((size) => [size, []]));
  for (let turn = 0; turn < STARTS; turn += 1) {
    nothing.push(await startUp(empty, "/"));
    for (const size of START_SIZES) figures.get(size).push(await startUp(() => ours(size), path(0)));
  }
  console.log(`\nCPU of workerd from its start to its first answer, in ms above an empty Worker's ${number(median(nothing))}: medians of ${STARTS} starts`);
  row("", START_SIZES.map((size) => `${size} routes`));
  row("above the empty Worker", START_SIZES.map((size) => number(median(figures.get(size)) - median(nothing), 1)));
  row("the configuration, in kB", START_SIZES.map((size) => number(JSON.stringify(configuration(size)).length / 1000)));
}

await perRequest();
await perStart();
agent.destroy();
