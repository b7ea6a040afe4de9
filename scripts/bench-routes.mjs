// `npm run bench:routes`: what many routes cost, in CPU time of the workerd process (Linux).
//
// Per request, with 10, 1000 and 10 000 routes: each figure is the median of interleaved rounds. What they cost a start is in `npm run bench`.
// Machines differ and are noisy: the ratios count.
import { gateway } from "../tests/e2e/harness.mjs";
import { agent, median, onOneProcessor, round, started } from "./lib/cpu.mjs";

const [SETS, ROUNDS, REQUESTS, WARM_UP] = [5, 5, 500, 1000];
const SIZES = [10, 1000, 10_000];

onOneProcessor();

/** One parameter route and literals beside it, all at one place of the tree: nothing but the search tells them apart. */
const path = (number) => `/api/v1/resource-${String(number).padStart(5, "0")}`;
const configuration = (size) => ({
  log: { level: "off" },
  paths: [
    ...Array.from({ length: size - 1 }, (_, number) => ({ method: "GET", path: path(number), response: {} })),
    { method: "GET", path: "/api/v1/{name}/parts/{id}", response: {} },
  ],
});

const ours = (size) => started(async () => {
  const gate = await gateway(configuration(size));
  return [gate.url, gate.stop];
});
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
    const one = (size, target, status) => ({ worker: gates.get(size), path: target(size), status });
    for (const size of SIZES) for (const [, target, status] of CASES) await round(one(size, target, status), WARM_UP);
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      for (const [name, target, status] of CASES) {
        for (const size of SIZES) figures.get(name).get(size).push((await round(one(size, target, status), REQUESTS)).cpu);
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

await perRequest();
agent.destroy();
