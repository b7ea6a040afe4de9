// Edits that `wrangler dev` does not see by itself.
import { existsSync, mkdirSync, utimesSync, watch, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Watches by name what is in the folder of `file`, the configuration. wrangler watches the file itself, and loses one that is taken away and
 * made anew, as git and vim do: from then on every edit makes a mark in the folder `marks`, which it watches too. `.dev.vars` it reads with
 * wrangler.toml alone, so that gets a new time.
 */
export function tellEdits(file, marks) {
  const folder = dirname(file);
  mkdirSync(marks, { recursive: true });
  let lost = false;
  const mark = settled(() => existsSync(file) && writeFileSync(join(marks, "mark"), `${Date.now()}`));
  const touch = settled(() => utimesSync(join(folder, "wrangler.toml"), new Date(), new Date()));
  return watch(folder, (event, name) => {
    if (name === ".dev.vars") touch();
    if (name !== basename(file)) return;
    lost ||= event === "rename";
    if (lost) mark();
  });
}

/** Does `work` once for what happens within a moment. */
function settled(work) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, 50);
  };
}
