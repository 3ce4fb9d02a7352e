// One cell in full: rule, source, request, both answers, commands. The address names it, so that it can be linked to and
// the back button works.

const sheet = make("dialog", { id: "details", "aria-labelledby": "details-head" });
let current = null;

function copyButton(text) {
  const button = make("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Without the permission the person copies: the text is selected.
      getSelection().selectAllChildren(button.parentElement.querySelector("code"));
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return button;
}

function commandOf(words) {
  return make("div", { class: "command" }, make("code", {}, visible(words)), copyButton(words));
}

function entry(name, ...what) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, ...what));
}

/** What is said about it, in a sentence. */
function sentenceOf(cell) {
  const judged = cell.judged;
  const words = [];
  if (judged.verdict === "conforms") {
    words.push(cell.kind === "in" ? "Let in, as expected." : "Refused, as expected.");
  } else if (judged.direction) {
    const words_ = WORDS[judged.direction];
    words.push(words_[0].toUpperCase() + words_.slice(1) + ".");
  }
  const more = {
    known: "Exactly as the known issue says.",
    stale: "As it should be, although a known issue says otherwise.",
    new: "As its rule says; nobody has accepted the answer yet.",
    "not-applicable": "Cannot be asked of this release.",
    "not-asked": "Not asked: this machine lacks what it takes.",
    "could-not-run": "Could not be asked, or the answer proves nothing.",
  }[judged.verdict];
  if (more !== undefined) {
    words.push(more);
  }
  words.push(...({ fails: ["It fails the run."], "as-in-baseline": ["Excused: the same in the baseline."], "below-severity": ["Excused: less severe than asked for."], "expected-skip": ["It may be skipped."] }[judged.standing] ?? []));
  return words.join(" ");
}

function factsOf(cell) {
  const { judged, expected, observed, rule, issue } = cell;
  const facts = [];
  if (judged.reason !== undefined) {
    facts.push(entry("Reason", visible(judged.reason)));
  }
  if (expected !== null) {
    const status = expected.status === null ? "" : " (" + expected.status + ")";
    facts.push(entry("Expected", make("code", {}, visible(expected.outcome)), status));
  }
  if (observed !== null) {
    const calls = observed.model_calls === null ? "model calls not counted" : plural(observed.model_calls, "model call");
    facts.push(entry("Observed", make("code", { class: observed.outcome === expected?.outcome ? null : "seen" }, visible(observed.line)),
      " ", make("span", { class: "note" }, [observed.outcome === null ? "no known outcome" : visible(observed.outcome), calls, cell.ms < 0 || cell.ms === null ? "" : cell.ms + " ms"].filter(Boolean).join(", "))));
  }
  if (expected !== null) {
    facts.push(entry("Rule", make("b", {}, visible(expected.rule)), rule?.title ? ": " + visible(rule.title) : "", rule?.origin ? make("span", { class: "from" }, " " + visible(rule.origin)) : ""));
    if (rule?.source) {
      facts.push(entry("Source", linkOr(visible(rule.source), rule.source)));
    }
  }
  if (issue !== null) {
    facts.push(entry("Known issue", linkOr(visible(issue.id), issue.url), issue.title === "" ? "" : ": " + visible(issue.title)));
    if (issue.means !== "") {
      facts.push(entry("Means", visible(issue.means)));
    }
    if (issue.workaround !== "") {
      facts.push(entry("Way around", visible(issue.workaround)));
    }
  }
  if (judged.cause !== undefined) {
    const cause = tables.causes.find((it) => it.id === judged.cause);
    const all = make("button", { type: "button", class: "show-cells" }, cause ? "Show all " + plural(cause.cells, "cell") + " of it" : "Show its cells");
    all.addEventListener("click", () => { leave(); filterBy("cause:" + judged.cause); });
    facts.push(entry("Cause", String(judged.cause) + (judged.severity ? ", " + judged.severity : "") + " ", all));
  }
  if (judged.attempts !== undefined) {
    facts.push(entry("Asked before", make("ol", {}, judged.attempts.map((why) => make("li", {}, visible(why))))));
  }
  return make("dl", { class: "details-facts" }, facts);
}

function axesOf(cell) {
  const axes = tables.scenarios[cell.scenario].axes;
  return make("ul", { class: "axes" }, axes.map((axis, i) => {
    const value = cell.value(i);
    return make("li", {}, make("span", { class: "pair" }, make("i", {}, visible(axis.name)), " ", visible(value.id)), value.title === "" ? "" : make("span", { class: "note" }, " " + visible(value.title)));
  }));
}

function render(cell) {
  const gateway = tables.gateways[cell.gateway];
  const answer = (place) => (place === null || place === undefined ? null : tables.answers[place] ?? null);
  const expected = answer(cell.expected?.answer);
  const observed = answer(cell.observed?.answer);
  const same = expected !== null && expected === observed;
  const close = make("button", { type: "button", class: "close", "aria-label": "Close the details" }, "\u00d7");
  close.addEventListener("click", leave);
  const run = "clawgauge run " + quoted(cell.id) + " --gateway " + shellWord(gateway);
  const repro = "clawgauge repro " + quoted(cell.id) + " --gateway " + shellWord(gateway);
  sheet.replaceChildren(
    make("header", {},
      make("i", { class: "k big k-" + cell.kind, "aria-hidden": true }, KINDS[cell.kind][0]),
      make("div", {}, make("h2", { id: "details-head", tabindex: -1 }, visible(tables.scenarios[cell.scenario].id), " ", make("span", { class: "note" }, visible(gateway))),
        make("p", { class: "sentence" }, make("b", { class: "t-" + cell.judged.verdict }, cell.judged.verdict.replaceAll("-", " ")), ". ", sentenceOf(cell))),
      close),
    make("div", { class: "body" },
      axesOf(cell),
      factsOf(cell),
      make("h3", {}, "Request"),
      cell.request === null ? make("p", { class: "lead" }, "Nothing is sent: the question is whether the gateway starts.") : make("pre", { class: "request", tabindex: 0, "aria-label": "Request" }, visible(cell.request)),
      make("h3", {}, "Answers", same ? make("span", { class: "note" }, " the same, byte for byte after normalisation") : ""),
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Answers" }, answersOf(expected, observed, {
        expected: cell.expected ? "no accepted answer; the rule asks for " + visible(cell.expected.outcome) : "nothing",
        observed: cell.observed ? visible(cell.observed.line) : "nothing",
      })),
      make("h3", {}, "Replay"), commandOf(run),
      cell.scripted ? [make("h3", {}, "Reproduce on a clean machine"), commandOf(repro)] : [],
      make("p", { class: "id" }, make("code", {}, visible(cell.id)))));
}

function shellWord(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text);
}

/** Shows or hides the details as the address says. */
function sync() {
  const cell = cellOfHash(location.hash);
  if (cell === null) {
    if (sheet.open) {
      sheet.close();
    }
    current = null;
    return;
  }
  if (cell === current && sheet.open) {
    return;
  }
  current = cell;
  render(cell);
  if (!sheet.open) {
    if (cell.shown && cell.button === undefined) {
      focusCell(cell);
    }
    sheet.showModal();
  }
  byId("details-head").focus();
  sheet.querySelector(".body").scrollTop = 0;
}

/** Opens a cell; the back button closes it again. */
function visit(cell) {
  if (location.hash === cell.hash && sheet.open) {
    return;
  }
  history.pushState({ visited: true }, "", cell.hash);
  sync();
}

/** Goes on to another cell without another step for the back button. */
function moveTo(cell) {
  history.replaceState(history.state, "", cell.hash);
  sync();
}

/** Closes the details. */
function leave() {
  const cell = current;
  current = null;
  if (sheet.open) {
    sheet.close();
  }
  if (history.state?.visited) {
    history.back();
  } else if (location.hash !== "") {
    history.replaceState(null, "", location.href.split("#")[0]);
  }
  if (cell !== null && cell.shown) {
    focusCell(cell);
  }
}

function detailsReady() {
  document.body.append(sheet);
  sheet.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) {
      leave();
    }
  });
  addEventListener("popstate", sync);
  addEventListener("hashchange", sync);
}
