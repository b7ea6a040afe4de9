// Programs of the machine that tests need: installed from Debian where they are missing and can be. A test does not pass without them.
import { existsSync } from "node:fs";
import { spawnSync } from "node:child_process";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** A browser that can run without a screen; CHROME names another than those that are looked for. */
export const chromium = () => program("chromium", [process.env.CHROME, ...CHROMIUM]);

export const curl = () => program("curl", ["/usr/bin/curl", "/bin/curl", "/opt/homebrew/bin/curl"]);

/** The first of `places` that is there, where need be after installing `name`. */
function program(name, places) {
  const found = () => places.find((file) => file && existsSync(file));
  if (!found() && existsSync("/usr/bin/apt-get")) {
    console.log(`\u25b8 Installing ${name}, which the tests need`);
    const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    for (const args of [["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", name]]) {
      const [command, ...rest] = [...sudo, "apt-get", ...args];
      spawnSync(command, rest, { env, stdio: "inherit" });
    }
  }
  if (!found()) throw new Error(`There is no ${name} here. On Debian: apt-get install ${name}`);
  return found();
}
