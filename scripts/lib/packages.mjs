// The npm packages, as package-lock.json has them.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digest, once, root, run } from "./run.mjs";

const modules = join(root, "node_modules");

export function installPackages() {
  const lock = readFileSync(join(root, "package-lock.json"));
  const stamp = join(modules, ".portcullis-lock");
  // Installed by hand counts too: npm leaves a copy of the lock it installed.
  once(stamp, digest(lock), [join(modules, ".package-lock.json")], () => {
    run("Installing npm packages", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  });
}

/** A program of an installed package. */
export function bin(name) {
  const file = join(modules, ".bin", name);
  return existsSync(file) ? file : name;
}
