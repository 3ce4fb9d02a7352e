// The filter: by what the cells look like (the legend), by axis and value, by text.

const wanted = { kinds: new Set(), axis: "", value: "", text: "" };
const controls = {};

/** What of a table's entry can be searched, in lower case. */
const searchable = {
  expected: (it) => {
    const rule = tables.rules.find((rule) => rule.id === it.rule && rule.scenario === it.scenario);
    return [it.outcome, rule?.title ?? "", rule?.source ?? ""].join("\n");
  },
  observed: (it) => [it.outcome ?? "", it.line].join("\n"),
  judged: (it) => [it.verdict, it.direction ?? "", it.standing ?? "", it.reason ?? "", ...(it.attempts ?? [])].join("\n"),
};
const texts = Object.fromEntries(Object.entries(searchable).map(([name, of]) => [name, tables[name].map((it) => of(it).toLowerCase())]));

/** A word of the filter as a test of a cell. `verdict:`, `cause:`, `issue:` and `rule:` are exact, anything else is looked for. */
function testOf(word) {
  const [, key, value] = /^(verdict|cause|issue|rule|severity|standing):(.+)$/.exec(word) ?? [];
  if (key === "rule") {
    return (cell) => cell.expected?.rule.toLowerCase() === value;
  }
  if (key !== undefined) {
    const found = tables.judged.map((it) => String(it[key] ?? "").toLowerCase() === value);
    return (cell) => found[cell.judgedAt];
  }
  const has = Object.fromEntries(Object.entries(texts).map(([name, list]) => [name, list.map((text) => text.includes(word))]));
  return (cell) =>
    cell.lower.includes(word) || has.expected[cell.expectedAt] || has.observed[cell.observedAt] || has.judged[cell.judgedAt];
}

/** Applies the filter to all cells, and to those on the page. */
function applyFilter() {
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  const tests = words.map(testOf);
  if (wanted.kinds.size > 0) {
    tests.push((cell) => wanted.kinds.has(cell.kind));
  }
  if (wanted.axis !== "") {
    const values = tables.scenarios.map((scenario) => {
      const axis = scenario.axes.findIndex((it) => it.name === wanted.axis);
      return [axis, axis < 0 ? -1 : scenario.axes[axis].values.findIndex((it) => it.id === wanted.value)];
    });
    tests.push((cell) => {
      const [axis, value] = values[cell.scenario];
      return axis >= 0 && (wanted.value === "" || (value >= 0 && cell.at[axis] === value));
    });
  }
  let count = 0;
  for (const part of parts) {
    let any = false;
    for (const matrix of part.matrices) {
      let own = 0;
      let changed = false;
      for (const cell of matrix.cells) {
        const shown = tests.every((test) => test(cell));
        changed ||= shown !== cell.shown;
        cell.shown = shown;
        own += shown ? 1 : 0;
      }
      matrix.figure.hidden = own === 0;
      if (changed && matrix.drawn) {
        settle(matrix);
      }
      any ||= own > 0;
      count += own;
    }
    part.section.hidden = !any;
  }
  const all = count === cells.length;
  controls.count.textContent = all ? plural(cells.length, "cell") : count.toLocaleString("en") + " of " + plural(cells.length, "cell");
  controls.clear.hidden = tests.length === 0;
  controls.nothing.hidden = count > 0;
  document.body.classList.toggle("filtered", !all);
}

/** Sets the filter to a text and shows the matrices. */
function filterBy(text) {
  clearFilter();
  controls.text.value = wanted.text = text;
  applyFilter();
  byId("matrices").scrollIntoView();
  controls.text.focus({ preventScroll: true });
}

function clearFilter() {
  wanted.kinds.clear();
  wanted.axis = wanted.value = wanted.text = "";
  controls.text.value = controls.axis.value = "";
  offerValues();
  controls.kinds.forEach((chip) => chip.setAttribute("aria-pressed", "false"));
}

/** Offers the values of the chosen axis. */
function offerValues() {
  const values = new Set();
  for (const axis of tables.scenarios.flatMap((scenario) => scenario.axes)) {
    if (axis.name === wanted.axis) {
      axis.values.forEach((value) => values.add(value.id));
    }
  }
  controls.value.replaceChildren(make("option", { value: "" }, "any value"), ...[...values].map((value) => make("option", { value }, visible(value))));
  controls.value.disabled = wanted.axis === "";
}

/** The bar above the matrices; its chips are the legend. */
function filterBar() {
  for (const cell of cells) {
    cell.lower = (tables.gateways[cell.gateway] + "\n" + cell.id + "\n" + (cell.expected?.rule ?? "") + "\n" + (cell.judged.issue ?? "")).toLowerCase();
  }
  controls.kinds = tallyOf(cells).map(([kind, count]) => {
    const chip = make("button", { type: "button", class: "chip", "aria-pressed": "false", "data-kind": kind },
      make("i", { class: "k k-" + kind, "aria-hidden": true }, KINDS[kind][0]), make("span", {}, KINDS[kind][1] + " "), make("b", {}, count.toLocaleString("en")));
    chip.addEventListener("click", () => {
      const on = !wanted.kinds.has(kind);
      wanted.kinds[on ? "add" : "delete"](kind);
      chip.setAttribute("aria-pressed", String(on));
      applyFilter();
    });
    return chip;
  });
  const axes = [...new Set(tables.scenarios.flatMap((scenario) => scenario.axes.map((axis) => axis.name)))];
  controls.text = make("input", { type: "search", id: "filter", placeholder: "cell, rule, message, issue\u2026", "aria-label": "Filter by text", autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/" });
  controls.axis = make("select", { id: "axis", "aria-label": "Filter by axis" }, make("option", { value: "" }, "any axis"), axes.map((axis) => make("option", { value: axis }, visible(axis))));
  controls.value = make("select", { id: "value", "aria-label": "Filter by the value of the axis" });
  controls.clear = make("button", { type: "button", id: "clear" }, "Clear");
  controls.count = make("output", { id: "count", "aria-live": "polite" });
  controls.nothing = make("p", { class: "lead", hidden: true }, "No cell is like that.");
  controls.text.addEventListener("input", () => { wanted.text = controls.text.value; applyFilter(); });
  controls.axis.addEventListener("change", () => { wanted.axis = controls.axis.value; wanted.value = ""; offerValues(); applyFilter(); });
  controls.value.addEventListener("change", () => { wanted.value = controls.value.value; applyFilter(); });
  controls.clear.addEventListener("click", () => { clearFilter(); applyFilter(); controls.text.focus(); });
  offerValues();
  return make("div", { class: "filter", role: "search", "aria-label": "Filter the cells" },
    make("div", { class: "fields" }, controls.text, controls.axis, controls.value, controls.clear, controls.count),
    make("div", { class: "chips", role: "group", "aria-label": "Legend; choose what to show" }, controls.kinds));
}
