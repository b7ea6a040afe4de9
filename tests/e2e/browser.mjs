// A browser that runs without a screen: Debian's chromium, installed where it is missing and can be. A test that needs it fails without it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import puppeteer from "puppeteer-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** Where the browser is; CHROME names another. */
function program() {
  const found = () => [process.env.CHROME, ...PLACES].find((file) => file && existsSync(file));
  if (found()) return found();
  if (existsSync("/usr/bin/apt-get")) {
    const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    for (const args of [["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]]) {
      const [command, ...rest] = [...sudo, "apt-get", ...args];
      spawnSync(command, rest, { env, stdio: "inherit" });
    }
  }
  if (found()) return found();
  throw new Error("There is no Chromium here: apt-get install chromium, or name one with CHROME=/path/to/it");
}

export const browser = () =>
  // Its sandbox needs what containers and root do not have; it is shown nothing but our own page.
  puppeteer.launch({ executablePath: program(), headless: true, args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"] });
