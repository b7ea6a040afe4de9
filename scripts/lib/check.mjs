// Checks a configuration with the command, and puts the checked copy where the Worker takes it from.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, run } from "./run.mjs";

export const checked = join(root, "build/gateway.json");
const command = join(root, "target/debug/portcullis");

export function buildCommand() {
  run("", "cargo", ["build", "--quiet", "--locked", "--bin", "portcullis"]);
  return command;
}

/** Prints every problem; `false` where there is one, and the last good copy stays. */
export function checkConfiguration(file = "gateway.json", output = checked) {
  buildCommand();
  return spawnSync(command, ["check", file, "--output", output], { cwd: root, stdio: "inherit" }).status === 0;
}
