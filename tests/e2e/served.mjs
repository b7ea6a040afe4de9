// `portcullis debug`, started for a test in a folder of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./harness.mjs";

/** Serves the page for the `files` (name and text); `args` are the command's. */
export async function served(files, args = []) {
  const folder = mkdtempSync(join(tmpdir(), "portcullis-debug-"));
  const write = (name, text) => writeFileSync(join(folder, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const program = spawn(join(root, "target/debug/portcullis"), ["debug", "--port", "0", "--no-open", ...args], { cwd: folder });
  let told = "";
  const url = await new Promise((resolve, reject) => {
    for (const stream of [program.stdout, program.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => {
        told += chunk;
        const address = told.match(/http:\/\/127\.0\.0\.1:\d+\//);
        if (address) resolve(new URL(address[0]));
      });
    }
    program.on("error", reject);
    program.on("exit", () => reject(new Error(`portcullis debug ended: ${told}`)));
  });
  return {
    url,
    write,
    stop() {
      program.removeAllListeners("exit");
      program.kill();
      rmSync(folder, { recursive: true });
    },
  };
}
