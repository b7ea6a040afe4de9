// What the benchmarks measure with: CPU time of a workerd process, requests over kept connections, rounds that take turns (Linux).
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

const children = () => execFileSync("sh", ["-c", `pgrep -P ${process.pid} workerd || true`], { encoding: "utf8" }).trim().split("\n");

/** Starts a workerd and finds out which process it is; `start` returns its URL and how to stop it. */
export async function started(start) {
  const before = children();
  const [url, stop] = await start();
  const pid = children().find((child) => !before.includes(child));
  const ticks = () => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ").slice(11, 13).reduce((a, b) => a + Number(b), 0);
  /** Its CPU time so far, in seconds. */
  return { url, stop, cpu: () => ticks() / TICKS_PER_SECOND };
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

const request = ({ worker, path }, bearer) =>
  new Promise((resolve, reject) => {
    const headers = bearer ? { authorization: `Bearer ${bearer}` } : {};
    get(new URL(path, worker.url), { agent, headers }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`${path}: ${response.statusCode}`))));
    }).on("error", reject);
  });

/** CPU per request of one case, in microseconds, over so many requests. */
async function round(one, requests) {
  const tokens = Array.from({ length: requests }, () => one.token?.());
  const before = one.worker.cpu();
  let next = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (next < requests) await request(one, tokens[next++]);
  }));
  return ((one.worker.cpu() - before) / requests) * 1e6;
}

/**
 * CPU per request of each of `cases` (`worker`, `path`, perhaps `token`), in microseconds: the medians of rounds that take turns, since
 * machines are noisy.
 */
export async function medians(cases, { rounds = 7, requests = 1000, warmUp = 300 } = {}) {
  for (const one of cases) await round(one, warmUp);
  const figures = new Map(cases.map((one) => [one, []]));
  for (let turn = 0; turn < rounds; turn += 1) for (const one of cases) figures.get(one).push(await round(one, requests));
  return new Map([...figures].map(([one, list]) => [one, list.sort((a, b) => a - b)[Math.floor(rounds / 2)]]));
}
