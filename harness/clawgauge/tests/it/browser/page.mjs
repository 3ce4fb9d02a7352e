// One browser for all checks, and pages that note whatever must not happen.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.PACKAGES, "checks.js"));
const { chromium } = require("playwright-core");
export const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const folder = process.argv[2];
export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
let context;
let profile;

export async function openBrowser() {
  profile = mkdtempSync(join(tmpdir(), "chromium-"));
  context = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM, headless: true, args: FLAGS, viewport: DESKTOP });
}

export async function closeBrowser() {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}

export const recordOf = (name) => JSON.parse(readFileSync(join(folder, name + ".json"), "utf8"));
export const addressOf = (name, hash = "") => pathToFileURL(join(folder, name + ".html")).href + hash;

/** The part of the address that names a cell. */
export const hashOf = (cell) => "#" + encodeURIComponent(cell.gateway) + "/" + cell.id.split("/").map(encodeURIComponent).join("/");

/** Opens a report, lets `check` look at it, and holds that nothing forbidden happened meanwhile. */
export async function withPage(name, check, { hash = "", viewport = DESKTOP, scheme = "light", scripts = true } = {}) {
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => wrong.push(message.type() + ": " + message.text()));
  page.on("pageerror", (error) => wrong.push("error: " + error.message));
  page.on("dialog", (dialog) => { wrong.push("dialog: " + dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== addressOf(name)) {
      wrong.push("request: " + request.url());
    }
  });
  await page.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => globalThis.violations.push(event.violatedDirective + " " + event.blockedURI));
  });
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme: scheme });
  try {
    await page.goto(addressOf(name, hash));
    if (scripts) {
      await page.waitForFunction(() => performance.getEntriesByName("clawgauge-ready").length > 0);
    }
    const told = await check(page);
    assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
    assert.equal(await page.evaluate(() => typeof globalThis.hacked), "undefined");
    assert.deepEqual(wrong, []);
    return told;
  } finally {
    await page.close();
  }
}

/** How many cells the filter leaves. */
export async function shown(page) {
  const text = await page.locator("#count").textContent();
  return Number(text.split(" ")[0].replaceAll(",", ""));
}

/** The button of a cell, scrolled to so that its matrix is drawn. */
export async function cellButton(page, matrix = 0, cell = 0) {
  const figure = page.locator("figure.matrix").nth(matrix);
  await figure.scrollIntoViewIfNeeded();
  const button = figure.locator("td button").nth(cell);
  await button.waitFor();
  return button;
}
