// What the benchmarks measure with: CPU time of a workerd process, requests over kept connections, rounds that take turns (Linux).
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";

const children = () => execFileSync("sh", ["-c", `pgrep -P ${process.pid} workerd || true`], { encoding: "utf8" }).trim().split("\n");

/**
 * Keeps this process, and those that it starts from now on, on one processor, where that can be done. Where they are free to move, what the same
 * request costs depends on who runs beside it: two processes of one Worker differ by a tenth then, and by a hundredth on one.
 */
export function onOneProcessor() {
  try {
    // The last of those that it may have.
    const [allowed] = readFileSync("/proc/self/status", "utf8").match(/^Cpus_allowed_list:.*$/m)[0].match(/\d+$/);
    execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", allowed, String(process.pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Seconds of CPU that the threads of a process have had. Finer than the ticks of its `stat`, which are as long as a hundred requests. */
const cpu = (pid) => readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]), 0) / 1e9;

/** Starts a workerd and finds out which process it is; `start` returns its URL and how to stop it. */
export async function started(start) {
  const before = children();
  const [url, stop] = await start();
  const pid = children().find((child) => !before.includes(child));
  return { url, stop, pid, cpu: () => cpu(pid) };
}

export const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** One request of a case, which has to get its status: milliseconds until its body was there. */
export function request(one, bearer) {
  const { worker, path, status = 200, body } = one;
  const headers = { ...(bearer ? { authorization: `Bearer ${bearer}` } : {}), ...(body ? { "content-length": body.length } : {}) };
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const sent = httpRequest(new URL(path, worker.url), { agent, headers, method: body ? "POST" : "GET" }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === status ? resolve(performance.now() - started) : reject(new Error(`${path}: ${response.statusCode}, not ${status}`))));
    });
    // A connection that has waited for five seconds is closed by workerd, perhaps just as it is taken up again.
    sent.on("error", (error) => (sent.reusedSocket && error.code === "ECONNRESET" ? resolve(request(one, bearer)) : reject(error)));
    sent.end(body);
  });
}

/** So many requests of one case, eight at a time: microseconds of CPU for each, and how many milliseconds each took. */
export async function round(one, requests) {
  const tokens = Array.from({ length: requests }, () => one.token?.());
  const latencies = [];
  const before = one.worker.cpu();
  let next = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (next < requests) latencies.push(await request(one, tokens[next++]));
  }));
  return { cpu: ((one.worker.cpu() - before) / requests) * 1e6, latencies };
}

export const quantile = (list, part) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))];
export const median = (list) => quantile(list, 0.5);
export const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;

/**
 * CPU per request of each of `cases` (`worker`, `path`, perhaps `token` and `status`), in microseconds: the medians of rounds that take turns, since
 * machines are noisy.
 */
export async function medians(cases, { rounds = 7, requests = 1000, warmUp = 300 } = {}) {
  for (const one of cases) await round(one, warmUp);
  const figures = new Map(cases.map((one) => [one, []]));
  for (let turn = 0; turn < rounds; turn += 1) for (const one of cases) figures.get(one).push((await round(one, requests)).cpu);
  return new Map([...figures].map(([one, list]) => [one, median(list)]));
}
