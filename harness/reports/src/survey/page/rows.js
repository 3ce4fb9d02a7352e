// The rows of the table: what is known of each, and what a row shows when it is opened.

const data = JSON.parse(byId("data").textContent);
const { survey } = data;
const lookOf = Object.fromEntries(data.looks.map(([sign, kind, words]) => [sign, { kind, words }]));
const rows = [...document.querySelectorAll("tr.row")].map((line) => {
  const place = Number(line.dataset.row);
  const row = survey.rows[place];
  return {
    ...row,
    place,
    line,
    section: line.closest(".scenario"),
    more: null,
    text: [row.id, row.scenario, line.textContent, row.rules.join(" "), ...data.answers[place].filter(Boolean)].join("\n").toLowerCase(),
    cellText: row.cells.join("\n").toLowerCase(),
  };
});
const rowById = new Map(rows.map((row) => [row.id, row]));

function ruleOf(row, id) {
  return data.rules.find((rule) => rule.id === id && rule.scenario === row.scenario);
}

function issueOf(id) {
  return survey.known_issues.find((issue) => issue.id === id);
}

/** Releases by what was said on them, neighbours together. */
function runsOf(row) {
  const runs = [];
  survey.releases.forEach((release, at) => {
    const sign = row.marks[at];
    const answer = data.answers[row.place][at];
    const reason = data.reasons[row.place][at];
    const last = runs.at(-1);
    if (last !== undefined && last.sign === sign && last.answer === answer && last.reason === reason) {
      last.last = release.version;
    } else {
      runs.push({ sign, answer, reason, first: release.version, last: release.version });
    }
  });
  return runs;
}

/** Where a cell stands in the table, on a release where one is named. */
function addressOf(id, release) {
  return "#cell/" + encodeURI(id).replaceAll("#", "%23") + (release === undefined ? "" : "@" + encodeURIComponent(release));
}

function answersOf(row) {
  const lines = runsOf(row).map(({ sign, answer, reason, first, last }) => {
    const look = lookOf[sign];
    const link = (release) => make("a", { href: addressOf(row.cells[0], release) }, release);
    const when = first === last ? link(first) : [link(first), " to ", link(last)];
    return make("tr", {},
      make("td", {}, make("i", { class: "k k-" + (look?.kind ?? "absent"), "aria-hidden": true }, sign)),
      make("td", {}, when),
      make("td", {}, look === undefined ? "could not be asked" : look.words, answer ? ": " : "", answer ? make("code", {}, visible(answer)) : "",
        reason ? make("span", { class: "note" }, " " + visible(reason)) : ""));
  });
  return make("table", {}, make("tbody", {}, lines));
}

function rulesOf(row) {
  return row.rules.map((id) => {
    const rule = ruleOf(row, id);
    return make("li", {}, make("b", {}, visible(id)), rule?.title ? ": " + visible(rule.title) : "",
      rule ? make("span", { class: "from" }, " " + visible(rule.origin), rule.source ? " \u00b7 source: " + visible(rule.source) : "") : "");
  });
}

function issuesOf(row) {
  const ids = [...new Set(row.spans.map((span) => span.known_issue).filter(Boolean))];
  return ids.map((id) => {
    const issue = issueOf(id);
    return make("li", {}, make("a", { href: "#issue-" + encodeURIComponent(id) }, visible(id)), issue ? ": " + visible(issue.title) : "",
      issue && isWeb(issue.url) ? [" (", linkOr("report", issue.url), ")"] : "", issue?.workaround ? make("span", { class: "note" }, " Way around: " + visible(issue.workaround)) : "");
  });
}

/** The last release on which it is not as it should be, else the newest that was asked. */
function exampleOf(row) {
  const bad = row.spans.findLast((span) => !["in", "out", "not-applicable", "not-asked", "stale", "new"].includes(span.look));
  return bad?.last ?? row.spans.at(-1)?.last ?? survey.releases.at(-1).version;
}

function moreOf(row) {
  const issues = issuesOf(row);
  const cell = row.cells[0];
  const command = (name) => make("li", {}, make("code", {}, "clawgauge " + name + " " + quoted(cell) + " --gateway openclaw@" + exampleOf(row)));
  const cells = row.cells.slice(0, 60).map((id) => make("li", {}, make("a", { href: addressOf(id) }, visible(id))));
  return make("tr", { class: "more" }, make("td", { colspan: survey.releases.length + 1 }, make("div", { class: "inside" },
    make("h4", {}, "By release"), answersOf(row),
    issues.length > 0 ? [make("h4", {}, issues.length === 1 ? "Known issue" : "Known issues"), make("ul", {}, issues)] : "",
    make("h4", {}, row.rules.length === 1 ? "Rule" : "Rules"), make("ul", {}, rulesOf(row)),
    make("h4", {}, "See it yourself"), make("ul", {}, command("run"), command("repro")),
    make("h4", {}, plural(row.cells.length, "cell")), make("ul", { class: "cell-list" }, cells),
    row.cells.length > 60 ? make("p", { class: "note" }, "and " + (row.cells.length - 60) + " more in survey.json") : "",
    make("p", { class: "note" }, make("a", { href: "#" + row.id }, "Link to this line"), "; the releases above are links to this line on a release"))));
}

/** Opens or closes a row. */
function unfold(row, open = row.more === null) {
  if (open === (row.more !== null)) {
    return;
  }
  if (open) {
    row.more = moreOf(row);
    row.line.after(row.more);
  } else {
    row.more.remove();
    row.more = null;
  }
  row.button.setAttribute("aria-expanded", String(open));
  row.button.firstChild.data = open ? "\u2212" : "+";
}
