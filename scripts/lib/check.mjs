// Checks a configuration with the command, and puts the checked copy where the Worker takes it from.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fail, root, run } from "./run.mjs";

export const checked = join(root, "build/gateway.json");
const command = join(root, "target/debug/portcullis");

/** Compiles the command, to where it is looked for whatever cargo's own settings say; the first time with cargo's own progress. */
function buildCommand() {
  const first = !existsSync(command);
  run(first ? "Compiling the portcullis command" : "", "cargo", ["build", "--locked", "--bin", "portcullis", "--target-dir", "target", ...(first ? [] : ["--quiet"])]);
}

/** Prints every problem; `false` where there is one, and the last good copy stays. */
export function checkConfiguration(file = "gateway.json", output = checked) {
  buildCommand();
  const { status, error } = spawnSync(command, ["check", file, "--output", output], { cwd: root, stdio: "inherit" });
  if (error) fail(`${command} cannot be run: ${error.message}`);
  return status === 0;
}
