// What a person does with the page.

import assert from "node:assert/strict";
import { addressOf, cellButton, hashOf, recordOf, shown, withPage } from "./page.mjs";

export async function countsAgreeWithTheRecord() {
  for (const name of ["mixed", "real", "many", "hostile"]) {
    const record = recordOf(name);
    await withPage(name, async (page) => {
      assert.equal(await shown(page), record.cells.length, name);
      const chips = await page.locator(".chip b").allTextContents();
      assert.equal(chips.reduce((sum, text) => sum + Number(text.replaceAll(",", "")), 0), record.cells.length);
      const counts = await page.locator(".verdict .counts").textContent();
      assert.ok(counts.includes(record.summary.conforms + " conform"), counts);
      assert.equal(await page.locator("h1 .word").textContent(), "NO-GO");
      const failing = record.causes.filter((cause) => cause.failing > 0).length;
      assert.equal(await page.locator("#fails .cause").count(), failing);
    });
  }
}

export async function aClickOpensTheCell() {
  const record = recordOf("mixed");
  const cell = record.cells.find((it) => it.direction === "unexpected-deny" && it.verdict === "deviates");
  await withPage("mixed", async (page) => {
    const button = await cellButton(page, 0, 2);
    assert.equal(await button.getAttribute("aria-label"), "none, absent, read: deviates, denied or given less than the rule says");
    await button.click();
    const sheet = page.locator("#details");
    const text = await sheet.textContent();
    for (const part of ["who declares nothing is the full operator", "scenarios/chat.toml:51", "answered (200)", "403 forbidden: missing scope: operator.write",
      "clawgauge run '" + cell.id + "' --gateway openclaw@2026.3.28", "clawgauge repro '" + cell.id + "' --gateway openclaw@2026.3.28"]) {
      assert.ok(text.includes(part), part);
    }
    assert.equal(await sheet.locator(".request").textContent(), record.requests[cell.request]);
    const side = async (n) => (await sheet.locator(`.answers tbody td:nth-child(${n}) code`).allTextContents()).join("\n") + "\n";
    assert.equal(await side(1), record.answers[cell.expected.answer]);
    assert.equal(await side(2), record.answers[cell.observed.answer]);
    assert.ok((await sheet.locator(".answers .minus").count()) > 0 && (await sheet.locator(".answers .plus").count()) > 0);
    assert.equal(await sheet.locator(".answers .same").count() % 2, 0);
    await page.keyboard.press("Escape");
    assert.equal(await sheet.isVisible(), false);
  });
}

export async function attemptsReasonsAndStandingAreTold() {
  const record = recordOf("mixed");
  for (const [find, words] of [
    [(it) => it.attempts?.length > 0, ["connection reset", "timed out", "the gateway went away"]],
    [(it) => it.verdict === "not-applicable", ["the release does not know the route"]],
    [(it) => it.standing === "as-in-baseline", ["Excused: the same in the baseline."]],
    [(it) => it.standing === "below-severity", ["Excused: less severe"]],
    [(it) => it.verdict === "known", ["Callers without the header get 403.", "Send operator.write."]],
    [(it) => it.gateway.includes(" "), ["--gateway './build with space/openclaw.mjs'"]],
  ]) {
    const cell = record.cells.find(find);
    await withPage("mixed", async (page) => {
      const text = await page.locator("#details").textContent();
      words.forEach((word) => assert.ok(text.includes(word), word + " in " + text));
    }, { hash: hashOf(cell) });
  }
}

export async function aScriptIsOfferedWhereOneCanBeMade() {
  const record = recordOf("real");
  for (const [proxy, offered] of [["direct", true], ["tailscale-serve", false]]) {
    const cell = record.cells.find((it) => it.axes.proxy === proxy);
    await withPage("real", async (page) => {
      const text = await page.locator("#details").textContent();
      assert.ok(text.includes("clawgauge run '" + cell.id + "'"), text);
      assert.equal(text.includes("clawgauge repro"), offered, text);
    }, { hash: hashOf(cell) });
  }
}

export async function theFilterFindsByVerdictAxisAndText() {
  const record = recordOf("real");
  const count = (test) => record.cells.filter(test).length;
  await withPage("real", async (page) => {
    const filter = page.locator("#filter");
    await filter.fill("verdict:deviates");
    assert.equal(await shown(page), record.summary.deviates);
    await page.locator("#clear").click();
    assert.equal(await shown(page), record.cells.length);
    await page.locator('.chip[data-kind="allow"]').click();
    assert.equal(await shown(page), count((it) => it.verdict === "deviates" && it.direction === "unexpected-allow"));
    await page.locator("#axis").selectOption("scopes");
    await page.locator("#value").selectOption("read");
    assert.equal(await shown(page), count((it) => it.direction === "unexpected-allow" && it.axes.scopes === "read"));
    await page.locator("#clear").click();
    await filter.fill("profile=token credential=wrong");
    const wrong = count((it) => it.id.includes("profile=token") && it.id.includes("credential=wrong"));
    assert.ok(wrong > 0);
    assert.equal(await shown(page), wrong);
    const visible = await page.locator("figure.matrix:visible").count();
    assert.ok(visible < (await page.locator("figure.matrix").count()));
    await filter.fill("no-such-thing");
    assert.equal(await shown(page), 0);
    assert.ok(await page.getByText("No cell is like that.").isVisible());
    await page.keyboard.press("Escape");
    assert.equal(await shown(page), record.cells.length);
    const cause = record.causes.find((it) => it.failing > 0);
    await page.locator(`#cause-${cause.id} .show-cells`).click();
    assert.equal(await shown(page), cause.cells);
  });
}

export async function anAddressOpensACellAndTheBackButtonWorks() {
  const record = recordOf("mixed");
  const cell = record.cells.at(-4);
  await withPage("mixed", async (page) => {
    const sheet = page.locator("#details");
    assert.ok(await sheet.isVisible());
    assert.ok((await sheet.textContent()).includes(cell.id));
    await page.reload();
    await page.waitForFunction(() => document.querySelector("#details")?.open);
    await page.keyboard.press("Escape");
    assert.equal(await sheet.isVisible(), false);
    assert.equal(page.url(), addressOf("mixed"));
    await (await cellButton(page, 0, 1)).click();
    assert.ok(await sheet.isVisible());
    const opened = page.url();
    await page.goBack();
    await page.waitForFunction(() => !document.querySelector("#details").open);
    await page.goForward();
    await page.waitForFunction(() => document.querySelector("#details").open);
    assert.equal(page.url(), opened);
    await page.locator("#details .close").click();
    await page.waitForFunction(() => location.hash === "" && !document.querySelector("#details").open);
    await page.locator("#cause-1 .actions a").click();
    await page.waitForFunction(() => document.querySelector("#details").open);
    await page.goBack();
    await page.waitForFunction(() => !document.querySelector("#details").open);
  }, { hash: hashOf(cell) });
}

export async function theKeyboardWalks() {
  await withPage("mixed", async (page) => {
    await (await cellButton(page)).focus();
    const label = () => page.evaluate(() => document.activeElement.getAttribute("aria-label"));
    const press = async (key) => { await page.keyboard.press(key); return label(); };
    assert.match(await label(), /^none, absent, absent:/);
    assert.match(await press("ArrowRight"), /^none, absent, empty:/);
    assert.match(await press("ArrowDown"), /^none, valid, empty:/);
    assert.match(await press("End"), /^none, valid, write:/);
    assert.match(await press("Home"), /^none, valid, absent:/);
    await press("ArrowDown");
    assert.match(await press("ArrowDown"), /^token, absent, absent:/);
    assert.match(await press("ArrowUp"), /^none, wrong, absent:/);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#details").open);
    assert.equal(await page.evaluate(() => document.activeElement.id), "details-head");
    await page.keyboard.press("ArrowRight");
    assert.ok((await page.locator("#details .id").textContent()).endsWith("credential=wrong/scopes=empty"));
    await page.keyboard.press("Escape");
    assert.match(await label(), /^none, wrong, empty:/);
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "filter");
    await page.keyboard.type("wrong");
    assert.ok((await shown(page)) > 0);
    // One stop of the tab key a matrix.
    for (const figure of await page.locator("figure.matrix:visible").all()) {
      await figure.scrollIntoViewIfNeeded();
      await figure.locator("table").waitFor();
      assert.equal(await figure.locator('td button[tabindex="0"]').count(), 1);
    }
  });
}

export async function hostileTextsRunNothing() {
  const record = recordOf("hostile");
  await withPage("hostile", async (page) => {
    await page.evaluate(async () => {
      for (const figure of document.querySelectorAll("figure.matrix")) {
        figure.scrollIntoView();
        await new Promise((done) => setTimeout(done, 60));
      }
      document.querySelectorAll("details").forEach((it) => { it.open = true; });
    });
    assert.equal(await page.locator("td button").count(), record.cells.length);
    for (const cell of record.cells) {
      await page.evaluate((hash) => { location.hash = hash; }, hashOf(cell));
      await page.waitForFunction((words) => document.querySelector("#details").open && document.querySelector("#details .axes").textContent.includes(words), cell.axes.profile);
      assert.equal(await page.locator("img, iframe, object, embed, link, base, svg [onload], script:not([type])").count(), 0);
      const links = await page.locator("a[href]").evaluateAll((all) => all.map((it) => it.getAttribute("href")));
      links.forEach((link) => assert.match(link, /^(#|https?:)/));
    }
  });
}
