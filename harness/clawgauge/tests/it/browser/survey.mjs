// The site of a survey: what it says, what a person does with it, how it looks.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DESKTOP, PHONE, axe, folder, withPage } from "./page.mjs";

const INDEX = "site/index";
const survey = JSON.parse(readFileSync(join(folder, "site/survey.json"), "utf8"));
const rowsShown = (page) => page.locator("tr.row:visible").count();

export async function theLettersAddUpToTheCountsOfEachRelease() {
  const letters = { conforms: "+.", known: "adk", deviates: "ADxb", stale: "s", new: "n", could_not_run: "?", not_applicable: "/" };
  survey.releases.forEach((release, at) => {
    for (const [verdict, signs] of Object.entries(letters)) {
      const count = survey.rows.reduce((sum, row) => sum + (signs.includes(row.marks[at]) ? row.cells.length : 0), 0);
      assert.equal(count, release.summary[verdict], release.version + " " + verdict);
    }
  });
  await withPage(INDEX, async (page) => {
    const drawn = await page.locator("tr.row").evaluateAll((all) => all.map((row) => [row.id, [...row.querySelectorAll("td")].map((it) => it.textContent || " ").join("")]));
    assert.deepEqual(Object.fromEntries(drawn), Object.fromEntries(survey.rows.map((row) => [row.id, row.marks])));
    assert.equal(await page.locator(".releases tbody tr").count(), survey.releases.length);
    for (const [version, words] of [["2026.3.28", "could not be installed"], ["2026.4.1", "could not be started"], ["2026.5.28", "ran, but is broken"]]) {
      assert.ok((await page.locator(".releases tr", { hasText: version }).first().textContent()).includes(words), version);
    }
  });
}

export async function everyLinkLeadsSomewhere() {
  for (const name of [INDEX, ...survey.releases.map((release) => "site/" + release.version)]) {
    await withPage(name, async (page) => {
      const links = await page.locator("a[href]").evaluateAll((all) => all.map((it) => it.getAttribute("href")));
      assert.ok(links.length > 2, name);
      for (const link of links.filter((it) => !/^https?:/.test(it))) {
        const [file, hash] = link.split("#");
        assert.ok(file === "" || existsSync(join(folder, "site", decodeURIComponent(file))), name + ": " + link);
        if (file === "index.html" && hash) {
          assert.ok(survey.rows.some((row) => row.id === hash), link);
        } else if (file === "" && hash) {
          assert.ok(await page.evaluate((id) => document.getElementById(id) !== null, decodeURIComponent(hash)), name + ": " + link);
        }
      }
    });
  }
}

export async function theTableIsSearched() {
  await withPage(INDEX, async (page) => {
    const quiet = await page.locator("tr.row.quiet").count();
    assert.ok(quiet > 0 && quiet < survey.rows.length);
    assert.equal(await rowsShown(page), survey.rows.length - quiet);
    await page.locator("#all").check();
    assert.equal(await rowsShown(page), survey.rows.length);
    await page.locator("#all").uncheck();

    await page.keyboard.press("/");
    await page.keyboard.type("endpoints endpoint=session-kill");
    const found = survey.rows.filter((row) => row.cells.some((cell) => cell.includes("endpoint=session-kill")));
    assert.ok(found.length > 0);
    assert.equal(await rowsShown(page), found.length);
    assert.equal(await page.locator(".scenario:visible").count(), 1);
    await page.keyboard.press("Escape");
    assert.equal(await rowsShown(page), survey.rows.length - quiet);

    // 2026.8.2 lets everybody in: that is what is left of the table when it is chosen with the gravest letter.
    await page.locator("#look").selectOption("A");
    await page.locator("#release").selectOption("2026.8.2");
    const at = survey.releases.findIndex((release) => release.version === "2026.8.2");
    const severe = survey.rows.filter((row) => row.marks[at] === "A").length;
    assert.ok(severe > 0);
    assert.equal(await rowsShown(page), severe);
    assert.equal(await page.locator("td.here:visible").first().textContent(), "A");
    await page.locator("#look").selectOption("");
    await page.locator("#words").fill("no such thing anywhere");
    assert.equal(await rowsShown(page), 0);
    assert.ok(await page.locator("#nothing").isVisible());
  });
}

export async function aLineOpensAndHasAnAddress() {
  const row = survey.rows.find((it) => it.marks.includes("A"));
  await withPage(INDEX, async (page) => {
    const line = page.locator("#" + row.id);
    const button = line.locator("button.open");
    await button.focus();
    await page.keyboard.press("Enter");
    assert.equal(await button.getAttribute("aria-expanded"), "true");
    const more = page.locator("tr.more");
    const text = await more.textContent();
    for (const part of ["By release", row.rules[0], row.cells[0], "clawgauge run '" + row.cells[0] + "' --gateway openclaw@"]) {
      assert.ok(text.includes(part), part);
    }
    await page.keyboard.press("Enter");
    assert.equal(await more.count(), 0);
    // Arrow keys walk over the lines.
    await page.keyboard.press("ArrowDown");
    assert.notEqual(await page.evaluate(() => document.activeElement.closest("tr").id), row.id);
    await line.locator("th").click({ position: { x: 300, y: 8 } });
    assert.equal(await more.count(), 1);
  });
  for (const hash of ["#" + row.id, "#cell/" + encodeURI(row.cells.at(-1))]) {
    await withPage(INDEX, async (page) => {
      assert.equal(await page.locator("tr.more").count(), 1);
      assert.equal(await page.locator("tr.current").getAttribute("id"), row.id);
    }, { hash });
  }
  // A release and a cell have an address, too: each release of an opened line is one.
  const last = survey.releases.at(-1).version;
  await withPage(INDEX, async (page) => {
    assert.equal(await page.locator("tr.current").getAttribute("id"), row.id);
    const marked = await page.locator("tr.row td.current").evaluateAll((all) => all.map((it) => it.title));
    assert.equal(marked.length, 1);
    assert.ok(marked[0].startsWith(last + ":"), marked[0]);
    const link = page.locator("tr.more a[href*='@']").first();
    const first = (await link.getAttribute("href")).split("@").at(-1);
    await link.click();
    await page.waitForFunction((version) => document.querySelector("tr.row td.current").title.startsWith(version + ":"), first);
  }, { hash: "#cell/" + encodeURI(row.cells.at(-1)) + "@" + last });
  // A line that never changes is shown when it is asked for by name.
  const quiet = survey.rows.find((it) => new Set(it.marks.replaceAll("?", "").replaceAll(" ", "")).size === 1 && "+.".includes(it.marks[0]));
  if (quiet !== undefined) {
    await withPage(INDEX, async (page) => assert.ok(await page.locator("#" + quiet.id).isVisible()), { hash: "#" + quiet.id });
  }
}

export async function sitesFitAndHaveNoBarriers() {
  for (const name of [INDEX, "site/2026.8.2", "site/2026.4.1", "hostile-site/index", "hostile-site/2026.9.6"]) {
    for (const viewport of [PHONE, DESKTOP]) {
      for (const scheme of ["light", "dark"]) {
        await withPage(name, async (page) => {
          await page.evaluate(() => {
            document.querySelectorAll("details").forEach((it) => { it.open = true; });
            [...document.querySelectorAll("button.open")].slice(0, 5).forEach((it) => it.click());
          });
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(width <= viewport.width, `${name} ${viewport.width}: ${width}`);
          await page.evaluate(axe);
          const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
          const told = found.violations.map((it) => it.id + ": " + it.nodes.slice(0, 3).map((node) => node.html.slice(0, 200) + " " + (node.any[0]?.message ?? "")).join(" | "));
          assert.deepEqual(told, [], `${name} ${viewport.width} ${scheme}`);
        }, { viewport, scheme });
      }
    }
  }
}

export async function hostileReleasesRunNothing() {
  for (const name of ["hostile-site/index", "hostile-site/2026.9.6"]) {
    await withPage(name, async (page) => {
      await page.evaluate(() => document.querySelectorAll("button.open").forEach((it) => it.click()));
      assert.equal(await page.locator("img, iframe, object, embed, link, base, svg [onload], script:not([type])").count(), 0);
      const links = await page.locator("a[href]").evaluateAll((all) => all.map((it) => it.getAttribute("href")));
      links.forEach((link) => assert.match(link, /^(#|https?:|[\w.]+\.(html|json)(#|$)|hostile-records\/)/));
    });
  }
}
