// What src/config/env_file.rs is held against: wrangler's own reading of `.dev.vars`.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { unstable_getVarsForDev } from "wrangler";
import { root } from "./harness.mjs";

describe("tests/dev-vars.json has what wrangler reads", () => {
  const folder = mkdtempSync(join(tmpdir(), "portcullis-vars-"));
  after(() => rmSync(folder, { recursive: true }));

  for (const { name, text, names } of JSON.parse(readFileSync(join(root, "tests/dev-vars.json"), "utf8"))) {
    test(name, () => {
      writeFileSync(join(folder, ".dev.vars"), text);
      const read = unstable_getVarsForDev(join(folder, "wrangler.toml"), undefined, {}, undefined, true);
      assert.deepEqual(Object.fromEntries(Object.entries(read).map(([name, { value }]) => [name, value])), names);
    });
  }
});
