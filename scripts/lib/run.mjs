// Running other programs, and saying what is going on.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Says what comes next. */
export function say(text) {
  console.log(`\u25b8 ${text}`);
}

/** Ends the script with a sentence for people. */
export function fail(text) {
  console.error(`\u2716 ${text}`);
  process.exit(1);
}

/** Runs a program with its output shown, and ends the script if it fails. Says how long it took where that was noticeable. */
export function run(title, command, args, options = {}) {
  if (title) say(title);
  const started = Date.now();
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (error || status !== 0) {
    fail(`${title || command} failed: ${error ? error.message : `${command} ended with ${status}`}`);
  }
  const seconds = (Date.now() - started) / 1000;
  if (title && seconds > 2) say(`${title}: ${seconds.toFixed(0)} s`);
}

/** Runs a program quietly: what it printed, or `undefined` if it failed or is not there. */
export function ask(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8", timeout: 60_000, ...options });
  return status === 0 ? stdout.trim() : undefined;
}

/** Starts a program that goes on beside this one. */
export function start(command, args, options = {}) {
  return spawn(command, args, { cwd: root, stdio: "inherit", ...options });
}

export function digest(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Does `work` unless it was done for the same `key` before; `stamp` is the file that remembers. */
export function once(stamp, key, outputs, work) {
  const done = existsSync(stamp) && readFileSync(stamp, "utf8") === key && outputs.every((file) => existsSync(file));
  if (done) return false;
  work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, key);
  return true;
}

/** Puts `bytes` in place of a file at once: `wrangler dev` reads it when it likes, and ends over half a file when one edit follows another. */
export function replace(file, bytes) {
  mkdirSync(dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, bytes);
  renameSync(beside, file);
}
