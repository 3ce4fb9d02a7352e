// Which rows are shown: those that differ or deviate unless all are asked for, then by words, by release, by look.

const asked = { all: false, text: "", release: "", look: "" };
const controls = {};

/** Whether a row has what is asked for. */
function fits(row, words) {
  if (!words.every((word) => row.text.includes(word) || row.cellText.includes(word))) {
    return false;
  }
  const at = survey.releases.findIndex((release) => release.version === asked.release);
  const letters = at < 0 ? row.marks : row.marks[at] ?? "";
  if (asked.look !== "") {
    return letters.includes(asked.look);
  }
  // Of one release its own deviations, and what changed there, are of interest.
  if (at >= 0 && !asked.all && words.length === 0) {
    const before = row.marks.slice(0, at).trimEnd().at(-1);
    return !"+./ ?ns".includes(letters) || (before !== undefined && letters !== " " && before !== letters);
  }
  return true;
}

function applySearch() {
  const words = asked.text.toLowerCase().split(/\s+/).filter(Boolean);
  const narrowed = words.length > 0 || asked.look !== "";
  let count = 0;
  for (const row of rows) {
    const quiet = row.line.classList.contains("quiet");
    const shown = fits(row, words) && (!quiet || asked.all || narrowed);
    row.shown = shown;
    row.line.hidden = !shown;
    row.line.classList.toggle("wanted", shown);
    if (row.more !== null) {
      row.more.hidden = !shown;
    }
    count += shown ? 1 : 0;
  }
  for (const section of new Set(rows.map((row) => row.section))) {
    section.hidden = !rows.some((row) => row.section === section && row.shown);
  }
  const at = survey.releases.findIndex((release) => release.version === asked.release);
  for (const table of document.querySelectorAll(".history")) {
    for (const line of table.rows) {
      [...line.cells].slice(1).forEach((cell, i) => cell.classList.toggle("here", i === at && !line.classList.contains("more")));
    }
  }
  controls.count.textContent = count.toLocaleString("en") + " of " + plural(rows.length, "line");
  byId("nothing").hidden = count > 0;
}

/** Shows what a text finds. */
function searchFor(text) {
  asked.release = asked.look = controls.release.value = controls.look.value = "";
  asked.text = controls.text.value = text;
  applySearch();
  byId("table").scrollIntoView();
}

function searchBar() {
  const signs = data.looks.filter(([sign]) => rows.some((row) => row.marks.includes(sign)));
  controls.text = make("input", { type: "search", id: "words", placeholder: "route, header, rule, issue, 403\u2026", "aria-label": "Search the table", autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/" });
  controls.release = make("select", { id: "release", "aria-label": "Only what deviates or changed on a release" }, make("option", { value: "" }, "any release"),
    survey.releases.map((release) => make("option", { value: release.version }, release.version)));
  controls.look = make("select", { id: "look", "aria-label": "Only lines with this letter" }, make("option", { value: "" }, "any answer"),
    signs.map(([sign, , words]) => make("option", { value: sign }, sign + "  " + words)));
  controls.all = make("input", { type: "checkbox", id: "all" });
  controls.count = make("output", { id: "count", "aria-live": "polite" });
  const listen = (control, event, take) => control.addEventListener(event, () => { take(); applySearch(); });
  listen(controls.text, "input", () => { asked.text = controls.text.value; });
  listen(controls.release, "change", () => { asked.release = controls.release.value; });
  listen(controls.look, "change", () => { asked.look = controls.look.value; });
  listen(controls.all, "change", () => { asked.all = controls.all.checked; });
  byId("search").append(make("div", { class: "fields", role: "search" }, controls.text, controls.release, controls.look,
    make("label", { for: "all" }, controls.all, " also what never changes"), controls.count));
}
