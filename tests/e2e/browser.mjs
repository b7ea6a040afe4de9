// A browser that runs without a screen.
import puppeteer from "puppeteer-core";
import { chromium } from "../../scripts/lib/programs.mjs";

export const browser = () =>
  puppeteer.launch({
    executablePath: chromium(),
    headless: true,
    // Its sandbox needs what containers and root do not have; it is shown nothing but our own page.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
  });
