// Opens the reports of a folder in Chromium and checks what a person would see. Called by browser.rs.

import { closeBrowser, folder, openBrowser } from "./page.mjs";
import * as looks from "./looks.mjs";
import * as survey from "./survey.mjs";
import * as works from "./works.mjs";

await openBrowser();
let failed = 0;
for (const [name, check] of [...Object.entries(works), ...Object.entries(looks), ...Object.entries(survey)]) {
  const started = performance.now();
  try {
    const told = await check(folder);
    console.log(`ok   ${name} (${Math.round(performance.now() - started)} ms)${told ? ": " + told : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.stack}`);
  }
}
await closeBrowser();
process.exit(failed === 0 ? 0 : 1);
