// CPU, latency and memory of several Workers that take turns. What comes later in a round is slower, and two processes that do the same differ for
// as long as they live: so the order changes, and each Worker is started several times.
//
// Within one process the mean counts. What a request leaves behind is cleared away once in a thousand requests or so, for a dozen microseconds
// each: a median of short rounds would leave that out, for some Workers and not for others.
import { readFileSync } from "node:fs";
import { agent, mean, median, quantile, request, round } from "../scripts/lib/cpu.mjs";

/** Kilobytes of memory that a process has to itself. */
const memory = (pid) => Number(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").match(/^Private_Dirty:\s+(\d+)/m)[1]);

/**
 * Measures `cases` on Workers that `starts` makes by name. A case has a `name`, `requests`, and what it asks by Worker (`of(name)`, undefined where
 * it is not for that one). Returns by case and Worker: CPU in microseconds, p50 and p99 in milliseconds, and ratios.
 */
export async function measure(starts, cases, { sets, rounds, warmUp }, tell) {
  const found = new Map();
  const memories = {};
  for (let set = 0; set < sets; set += 1) {
    tell(`set ${set + 1} of ${sets}`);
    let names = Object.keys(starts).sort(() => Math.random() - 0.5);
    const workers = {};
    for (const name of names) workers[name] = await starts[name]();
    for (const one of cases) for (const name of names) if (one.of(name)) await round({ ...one.of(name), worker: workers[name] }, warmUp * one.requests);
    for (let turn = 0; turn < rounds; turn += 1) {
      for (const one of cases) {
        for (const name of names) {
          const what = one.of(name);
          if (!what) continue;
          const { cpu, latencies } = await round({ ...what, worker: workers[name] }, one.requests);
          const key = `${one.name}|${name}`;
          const figures = found.get(key) ?? { sets: Array.from({ length: sets }, () => []), latencies: [] };
          figures.sets[set].push(cpu);
          figures.latencies.push(...latencies);
          found.set(key, figures);
        }
        names = [...names.slice(1), names[0]];
      }
    }
    for (const name of names) (memories[name] ??= []).push(memory(workers[name].pid));
    agent.destroy();
    for (const worker of Object.values(workers)) await worker.stop();
  }
  const figure = (one, name) => {
    const { sets: processes, latencies } = found.get(`${one}|${name}`) ?? {};
    return processes && { cpu: median(processes.map(mean)), least: Math.min(...processes.flat()), p50: median(latencies), p99: quantile(latencies, 0.99) };
  };
  /** How many times as much CPU as another: of processes that took turns, since a machine that is slow for a while is so for both. */
  const ratio = (one, name, other) => {
    const [mine, theirs] = [found.get(`${one}|${name}`)?.sets, found.get(`${one}|${other}`)?.sets];
    return mine && theirs && median(mine.map((cpu, set) => mean(cpu) / mean(theirs[set])));
  };
  return { figure, ratio, memory: (name) => median(memories[name]) / 1000 };
}

/** Milliseconds of CPU from the start of each process to its first answer: medians. */
export async function starting(starts, times, tell) {
  const spent = {};
  for (let turn = 0; turn < times; turn += 1) {
    tell(`start ${turn + 1} of ${times}`);
    for (const [name, [start, one]] of Object.entries(starts)) {
      const worker = await start();
      await request({ ...one, worker });
      (spent[name] ??= []).push(worker.cpu() * 1000);
      agent.destroy();
      await worker.stop();
    }
  }
  return (name) => median(spent[name]);
}
