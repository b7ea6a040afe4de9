// What `npm start` adds to wrangler's watching (scripts/lib/edits.mjs), with a Worker that is nothing but its configuration.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tellEdits } from "../../scripts/lib/edits.mjs";
import { freePort, root } from "./harness.mjs";

const BUILD = `import { readFileSync, writeFileSync } from "node:fs";
console.log("BUILT");
writeFileSync("build/made.js", "export default " + readFileSync("gateway.json", "utf8"));`;
const WORKER = `import made from "./build/made.js";
export default { fetch: (_, env) => new Response(made.answer + " " + env.WORD) };`;

describe("an edit under npm start", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "portcullis-edits-"));
  const file = join(folder, "gateway.json");
  let dev;
  let url;
  let watcher;
  let number = 0;
  let output = "";

  const text = () => JSON.stringify({ answer: ++number });

  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    mkdirSync(join(folder, "build"));
    mkdirSync(join(folder, "src"));
    const [watched] = readFileSync(join(root, "wrangler.toml"), "utf8").match(/^watch_dir = .*$/m);
    writeFileSync(join(folder, "wrangler.toml"), `name = "edits"\nmain = "worker.js"\ncompatibility_date = "2026-04-01"\n[build]\ncommand = "node build.mjs"\n${watched}\n`);
    for (const [name, content] of [["build.mjs", BUILD], ["worker.js", WORKER], [".dev.vars", "WORD=one\n"], ["gateway.json", text()]]) {
      writeFileSync(join(folder, name), content);
    }
    watcher = tellEdits(file, join(folder, "build/edits"));
    dev = spawn(join(root, "node_modules/.bin/wrangler"), ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", String(await freePort())], {
      cwd: folder,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [dev.stdout, dev.stderr]) stream.on("data", (chunk) => (output += chunk));
    await answers("1 one", 30_000);
  });
  after(async () => {
    watcher?.close();
    dev?.kill("SIGINT");
    await sleep(500);
    rmSync(folder, { recursive: true, force: true });
  });

  async function answers(expected, patience = 5000) {
    const started = Date.now();
    let last;
    while (Date.now() - started < patience) {
      last = await fetch(url).then((response) => response.text(), String);
      if (last === expected) return;
      await sleep(25);
    }
    throw new Error(`it answers ${last}, not ${expected}\n${output}`);
  }

  const styles = {
    "in its place": () => writeFileSync(file, text()),
    "by a new file over it": () => {
      writeFileSync(`${file}.new`, text());
      renameSync(`${file}.new`, file);
    },
    "by a new file after the old one was moved away, as vim does": () => {
      renameSync(file, `${file}~`);
      writeFileSync(file, text());
      rmSync(`${file}~`);
    },
    "by a new file after the old one was taken away, as git does": async () => {
      rmSync(file);
      await sleep(200);
      writeFileSync(file, text());
    },
    "in its place, after all that": () => writeFileSync(file, text()),
  };
  for (const [name, edit] of Object.entries(styles)) {
    test(`${name} is live, each of three in a row`, async () => {
      for (let time = 0; time < 3; time++) {
        await edit();
        await answers(`${number} one`);
        await sleep(200);
      }
    });
  }

  test("of .dev.vars is live", async () => {
    writeFileSync(join(folder, ".dev.vars"), "WORD=two\n");
    await answers(`${number} two`);
  });

  test("builds, and what is built starts no other", async () => {
    await sleep(1000);
    output = "";
    await sleep(1500);
    assert.doesNotMatch(output, /BUILT/);
  });
});
