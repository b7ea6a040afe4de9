// `npm run bench`: what the gateway costs beside what people would use otherwise, in CPU time of workerd (Linux).
//
//   npm run bench               the tables
//   npm run bench -- --write    and into docs/performance.md and docs/performance.svg
//   npm run bench -- --quick    fewer rounds, to see whether it runs
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { onOneProcessor } from "../scripts/lib/cpu.mjs";
import { fail, root, run } from "../scripts/lib/run.mjs";

const { values: options } = parseArgs({ options: { write: { type: "boolean" }, quick: { type: "boolean" } } });

if (!existsSync(join(root, "build/bundle/entry.js"))) fail("There is nothing to measure yet: run `npm test` first");
if (!existsSync(join(root, "bench/node_modules/hono"))) run("Installing what it is held against", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: join(root, "bench") });
const { ours, peer, token, upstream } = await import("./peers.mjs");
const { measure, starting } = await import("./measure.mjs");
const { bars, table } = await import("./report.mjs");

const PEERS = ["pass-through", "ours", "ours, with its log", "hono", "stoma"];
const HEADINGS = { "pass-through": "bare pass-through", ours: "Portcullis", "ours, with its log": "Portcullis, with its log", hono: "Hono + jose", stoma: "Stoma" };
const TARGETS = {
  "HS256, seen before": "1.4 × pass-through, 0.7 × Hono", "RS256, seen before": "1.4 × pass-through, 0.7 × Hono", "RS256, every token new": "1.0 × Hono",
  "HS256, bad signature": "0.7 × Hono", "HS256, expired": "0.7 × Hono", "no token": "0.7 × Hono",
};
// Warmed up by so many rounds of each case, all cases before the first is measured: code is compiled, and compiled anew, for tens of thousands of
// requests. A round is long enough to hold what clears away after requests.
const [SETS, ROUNDS, REQUESTS, WARM_UP, STARTS] = options.quick ? [1, 2, 100, 1, 2] : [5, 4, 1000, 2, 9];
const pinned = onOneProcessor();

const up = await upstream();
const tell = (text) => process.stderr.isTTY && process.stderr.write(`\r\u001b[K${text}`);
const seen = { HS256: token("HS256"), RS256: token("RS256") };
const protectedOnly = (what) => (name) => (name === "pass-through" ? undefined : what);
const everywhere = (what) => () => what;
const body = (bytes) => Buffer.alloc(bytes, "x");
const one = (name, of, requests = REQUESTS) => ({ name, of, requests });
const CASES = [
  one("HS256, seen before", everywhere({ path: "/hs/x", token: () => seen.HS256 })),
  one("RS256, seen before", everywhere({ path: "/rs/x", token: () => seen.RS256 })),
  one("HS256, every token new", everywhere({ path: "/hs/x", token: () => token("HS256") })),
  one("RS256, every token new", everywhere({ path: "/rs/x", token: () => token("RS256") })),
  one("HS256, bad signature", protectedOnly({ path: "/hs/x", token: () => `${token("HS256").slice(0, -10)}AAAAAAAAAA`, status: 401 })),
  one("HS256, expired", protectedOnly({ path: "/hs/x", token: () => token("HS256", { exp: 1_000_000_000 }), status: 401 })),
  one("no token", protectedOnly({ path: "/hs/x", status: 401 })),
  one("a fixed answer", everywhere({ path: "/static" })),
  one("1 kB up", everywhere({ path: "/hs/x", token: () => seen.HS256, body: body(1000) })),
  one("1 kB down", everywhere({ path: "/hs/x?bytes=1000", token: () => seen.HS256 })),
  one("1 MB up", everywhere({ path: "/hs/x", token: () => seen.HS256, body: body(1_000_000) }), REQUESTS / 10),
  one("1 MB down", everywhere({ path: "/hs/x?bytes=1000000", token: () => seen.HS256 }), REQUESTS / 10),
];

const starts = {
  "pass-through": () => peer("pass-through", up),
  ours: () => ours(up),
  "ours, with its log": () => ours(up, 0, "info"),
  hono: () => peer("hono", up),
  stoma: () => peer("stoma", up),
};
const { figure, ratio, memory } = await measure(starts, CASES, { sets: SETS, rounds: ROUNDS, warmUp: WARM_UP }, tell);

const routes = (number) => ({ name: `${number} routes`, start: [() => ours(up, number), { path: `/route/${number - 1}` }] });
const MANY = [1, 10, 100, 1000, 10_000].map(routes);
const byRoutes = await measure(
  Object.fromEntries(MANY.map(({ name, start }) => [name, start[0]])),
  [one("the last route", (name) => MANY.find((many) => many.name === name).start[1])],
  // It costs little, and little is looked for. No other case has warmed it up.
  { sets: SETS, rounds: 3 * ROUNDS, warmUp: 6 * WARM_UP },
  tell,
);
const first = { path: "/static" };
const cold = await starting({
  empty: [() => peer("empty", up), { path: "/" }],
  "Portcullis, 10 routes": [() => ours(up, 10), first],
  "Portcullis, 1000 routes": [() => ours(up, 1000), first],
  "Portcullis, 10000 routes": [() => ours(up, 10_000), first],
  "Hono + jose, 10 routes": [() => peer("hono", up, 10), first],
  "Hono + jose, 1000 routes": [() => peer("hono", up, 1000), first],
  "Stoma, 10 routes": [() => peer("stoma", up, 10), first],
  "Stoma, 1000 routes": [() => peer("stoma", up, 1000), first],
}, STARTS, tell);
tell("");
up.stop();

const versions = ["workerd", "miniflare", "wrangler"].map((name) => `${name} ${JSON.parse(readFileSync(join(root, `node_modules/${name}/package.json`), "utf8")).version}`);
const cell = (name, who) => {
  const mine = figure(name, who);
  if (!mine) return "";
  const to = (other, letter) => (who === other || who === "pass-through" && other === "hono" || !figure(name, other) ? [] : [`${ratio(name, who, other).toFixed(2)} ${letter}`]);
  const ratios = [...to("pass-through", "p"), ...to("hono", "h")];
  return `${mine.cpu.toFixed(0)}${ratios.length > 0 ? ` (${ratios.join(", ")})` : ""}`;
};
const latency = (name, who) => {
  const mine = figure(name, who);
  return mine ? `${mine.least.toFixed(0)} · ${mine.p50.toFixed(1)} / ${mine.p99.toFixed(1)}` : "";
};
const headings = PEERS.map((who) => HEADINGS[who]);
const report = [
  `Measured on ${new Date().toISOString().slice(0, 10)} with ${versions.join(", ")}, Node ${process.versions.node}, on ${pinned ? "one" : cpus().length} of ${cpus().length} cores of ${cpus()[0].model.trim()}.`,
  `CPU of workerd per request in µs: medians of ${SETS} processes of each Worker, in each the mean of ${ROUNDS * REQUESTS} requests, after ${WARM_UP * REQUESTS} of each case to warm up (a tenth of both with 1 MB). p: as a multiple of the bare pass-through with the same token; h: of Hono + jose; medians of what each process says.`,
  table(["case", ...headings, "wanted"], CASES.map(({ name }) => [name, ...PEERS.map((who) => cell(name, who)), TARGETS[name] ?? ""])),
  "The least round in µs of CPU, and latency in ms with eight requests at a time, p50 / p99:",
  table(["case", ...headings], CASES.map(({ name }) => [name, ...PEERS.map((who) => latency(name, who))])),
  table(["memory after all that, in MB", ...headings], [["private", ...PEERS.map((who) => memory(who).toFixed(1))]]),
  "Portcullis with many routes, and the last of them asked for:",
  table(["", ...MANY.map(({ name }) => name)], [
    ["µs of CPU per request", ...MANY.map(({ name }) => byRoutes.figure("the last route", name).cpu.toFixed(0))],
    ["multiple of 10 routes", ...MANY.map(({ name }) => byRoutes.ratio("the last route", name, "10 routes").toFixed(2))],
  ]),
  `From the start of the process to its first answer, in ms of CPU above a Worker that does nothing (${cold("empty").toFixed(0)} ms): medians of ${STARTS} starts.`,
  table(["", "10 routes", "1000 routes", "10000 routes"], ["Portcullis", "Hono + jose", "Stoma"].map((who) => [who, ...[10, 1000, 10_000].map((number) => {
    const name = `${who}, ${number} routes`;
    return number === 10_000 && who !== "Portcullis" ? "" : (cold(name) - cold("empty")).toFixed(1);
  })])),
].join("\n\n");
console.log(report);

if (options.write) {
  const page = join(root, "docs/performance.md");
  const text = readFileSync(page, "utf8");
  const [start, end] = ["<!-- npm run bench -- --write: from here -->", "<!-- to here -->"];
  writeFileSync(page, `${text.slice(0, text.indexOf(start) + start.length)}\n\n${report}\n\n${text.slice(text.indexOf(end))}`);
  const shown = CASES.slice(0, 8).map(({ name }) => ({ name, bars: PEERS.map((who) => ({ who: HEADINGS[who], value: figure(name, who)?.cpu })).filter(({ value }) => value !== undefined) }));
  writeFileSync(join(root, "docs/performance.svg"), bars("CPU of workerd per request, in µs", shown));
}
process.exit(0);
