// How the page looks, fits, and keeps up.

import assert from "node:assert/strict";
import { DESKTOP, PHONE, axe, hashOf, recordOf, shown, withPage } from "./page.mjs";

export async function nothingOverflows() {
  for (const name of ["mixed", "real", "hostile", "many"]) {
    for (const viewport of [PHONE, DESKTOP]) {
      for (const hash of ["", hashOf(recordOf(name).cells.find((cell) => cell.direction))]) {
        await withPage(name, async (page) => {
          await page.evaluate(() => document.querySelectorAll("main details").forEach((it) => { it.open = true; }));
          const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth, document.querySelector("#details .body")?.scrollWidth ?? 0]);
          assert.ok(widths[0] <= viewport.width, name + " " + viewport.width + hash.slice(0, 40) + ": " + widths);
          assert.ok(widths[2] <= viewport.width, name + " details " + widths);
        }, { viewport, hash });
      }
    }
  }
}

export async function coloursFollowTheSystemAndTheButton() {
  const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const seen = {};
  for (const scheme of ["light", "dark"]) {
    await withPage("mixed", async (page) => {
      seen[scheme] = await paper(page);
      // The button goes from the system's to light, dark and back.
      await page.locator("#theme").click();
      const light = await paper(page);
      await page.locator("#theme").click();
      const dark = await paper(page);
      await page.locator("#theme").click();
      assert.equal(await paper(page), seen[scheme]);
      assert.notEqual(light, dark);
      assert.equal(seen[scheme], scheme === "light" ? light : dark);
    }, { scheme });
  }
  assert.notEqual(seen.light, seen.dark);
}

export async function axeFindsNothing() {
  let rules = 0;
  for (const name of ["mixed", "real"]) {
    const cell = recordOf(name).cells.find((it) => it.direction);
    // Each pair of colours, width and open cell.
    for (const [scheme, viewport, hash] of [["light", DESKTOP, ""], ["light", PHONE, hashOf(cell)], ["dark", DESKTOP, hashOf(cell)], ["dark", PHONE, ""]]) {
      await withPage(name, async (page) => {
        // All of it, not only what is near the window.
        await page.evaluate(async () => {
          for (const figure of document.querySelectorAll("figure.matrix")) {
            figure.scrollIntoView();
            await new Promise((done) => setTimeout(done, 30));
          }
          document.querySelectorAll("main details").forEach((it) => { it.open = true; });
        });
        await page.evaluate(axe);
        const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
        const told = found.violations.map((it) => it.id + ": " + it.nodes.slice(0, 3).map((node) => node.html.slice(0, 200) + " " + (node.any[0]?.message ?? "")).join(" | "));
        assert.deepEqual(told, [], name + " " + scheme + " " + hash);
        rules = Math.max(rules, found.passes.length);
      }, { scheme, hash, viewport });
    }
  }
  return rules + " rules passed";
}

export async function tenThousandCellsStaySmooth() {
  return withPage("many", async (page) => {
    const ready = await page.evaluate(() => performance.getEntriesByName("clawgauge-ready")[0].startTime);
    const key = await page.evaluate(async () => {
      const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      const filter = document.querySelector("#filter");
      const times = [];
      for (const text of ["c", "cr", "cre", "credential-7", "", "verdict:deviates", ""]) {
        const started = performance.now();
        filter.value = text;
        filter.dispatchEvent(new Event("input"));
        await frame();
        times.push(performance.now() - started);
      }
      return Math.max(...times);
    });
    const scroll = await page.evaluate(async () => {
      let longest = 0;
      let before = performance.now();
      for (let i = 0; i < 40; i += 1) {
        scrollBy(0, 600);
        await new Promise((done) => requestAnimationFrame(done));
        longest = Math.max(longest, performance.now() - before);
        before = performance.now();
      }
      return longest;
    });
    assert.equal(await shown(page), 10_000);
    // Generous: a shared machine must not fail the test, a page that draws all at once must.
    assert.ok(ready < 10_000 && key < 2_000, `${ready} ${key}`);
    return `ready after ${Math.round(ready)} ms, slowest keystroke ${Math.round(key)} ms, longest frame while scrolling ${Math.round(scroll)} ms`;
  });
}
