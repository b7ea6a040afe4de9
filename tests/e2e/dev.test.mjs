// `wrangler dev` with the project's own build: edits of gateway.json while it runs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { replace } from "../../scripts/lib/run.mjs";
import { freePort, root } from "./harness.mjs";

const config = (answer, more = {}) => JSON.stringify({ paths: [{ method: "GET", path: "/", response: answer, ...more }] }, null, 2);

describe("an edit of gateway.json under the dev server", () => {
  const folder = mkdtempSync(join(tmpdir(), "portcullis-dev-"));
  const file = join(folder, "gateway.json");
  let dev;
  let url;
  let output = "";

  before(async () => {
    writeFileSync(file, config("first"));
    cpSync(join(root, ".dev.vars.example"), join(folder, ".dev.vars"));
    // The project's own settings, with another file to watch.
    const settings = readFileSync(join(root, "wrangler.toml"), "utf8")
      .replace('main = "worker/entry.js"', `main = ${JSON.stringify(join(root, "worker/entry.js"))}`)
      .replace(/^command = .*$/m, `command = ${JSON.stringify(`node ${join(root, "scripts/build.mjs")} ${file}`)}`)
      .replace(/^watch_dir = .*$/m, `watch_dir = [${JSON.stringify(file)}]`);
    writeFileSync(join(folder, "wrangler.toml"), settings);
    const port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    dev = spawn(join(root, "node_modules/.bin/wrangler"), ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", String(await freePort())], {
      cwd: folder,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [dev.stdout, dev.stderr]) stream.on("data", (chunk) => (output += chunk));
    await answers('"first"', 60_000);
  });
  after(async () => {
    dev?.kill("SIGINT");
    await sleep(500);
    rmSync(folder, { recursive: true, force: true });
    // The copy beside the wasm is the repository's own again.
    spawn(process.execPath, [join(root, "scripts/build.mjs")], { stdio: "ignore" });
  });

  /** Waits until the server answers with `text`: the milliseconds it took. */
  async function answers(text, patience = 5000) {
    const started = Date.now();
    let last;
    while (Date.now() - started < patience) {
      last = await fetch(url).then((response) => response.text(), String);
      if (last === text) return Date.now() - started;
      await sleep(25);
    }
    throw new Error(`it answers ${last}, not ${text}, after ${patience} ms\n${output}`);
  }

  test("is live within 5 seconds, and compiles no Rust", async () => {
    output = "";
    writeFileSync(file, config("second"));
    console.log(`    live after ${await answers('"second"')} ms`);
    assert.doesNotMatch(output, /Compiling|Optimising/);
  });

  test("that is broken prints its problems, and the last good one goes on serving", async () => {
    output = "";
    writeFileSync(file, config("third", { auht: true }));
    const started = Date.now();
    while (!output.includes("did you mean `auth`?") && Date.now() - started < 5000) await sleep(25);
    assert.match(output, /gateway\.json:\d+:\d+: error: unknown field `auht`: did you mean `auth`\?/);
    await sleep(500);
    assert.equal(await (await fetch(url)).text(), '"second"');
  });

  test("that mends it is live again", async () => {
    writeFileSync(file, config("fourth"));
    await answers('"fourth"');
  });
});

// Two edits at once start two builds, and wrangler takes what the first has made while the second writes: over an empty wasm it ended.
test("what is built takes the place of what was there whole, for whoever reads that", () => {
  const folder = mkdtempSync(join(tmpdir(), "portcullis-replace-"));
  try {
    const file = join(folder, "new", "a.wasm");
    replace(file, "one");
    const reader = openSync(file, "r");
    replace(file, "two");
    assert.deepEqual([readFileSync(reader, "utf8"), readFileSync(file, "utf8")], ["one", "two"]);
    closeSync(reader);
    assert.deepEqual(readdirSync(join(folder, "new")), ["a.wasm"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
