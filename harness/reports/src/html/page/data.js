// The record as the page carries it: see data.rs for the form.

const tables = JSON.parse(byId("tables").textContent);
const WORDS = {
  "unexpected-allow": "let in or given more than the rule says",
  "unexpected-deny": "denied or given less than the rule says",
  "wrong-denial": "refused for another reason or in another shape",
  "wrong-body": "let in, the answer is another",
};

// What a cell looks like: key, symbol, words. The symbols are those of the terminal report.
const KINDS = {
  allow: ["A", "let in or given more than the rule says"],
  deny: ["D", "denied or given less than the rule says"],
  denial: ["x", "other denial"],
  body: ["b", "other body"],
  stale: ["s", "known issue does not show"],
  new: ["n", "no snapshot yet"],
  lost: ["?", "could not run"],
  "known-allow": ["a", "known: let in"],
  "known-deny": ["d", "known: refused"],
  known: ["k", "known: other answer"],
  in: ["+", "let in, as expected"],
  out: ["\u00b7", "refused, as expected"],
  none: ["/", "not applicable"],
  unasked: ["-", "not asked on this machine"],
};

function kindOf(judged, expected) {
  switch (judged.verdict) {
    case "conforms":
      return expected && expected.direction === "allow" ? "in" : "out";
    case "known":
      return { "unexpected-allow": "known-allow", "unexpected-deny": "known-deny" }[judged.direction] ?? "known";
    case "deviates":
      return { "unexpected-allow": "allow", "unexpected-deny": "deny", "wrong-denial": "denial" }[judged.direction] ?? "body";
    case "stale":
      return "stale";
    case "new":
      return "new";
    case "not-applicable":
      return "none";
    case "not-asked":
      return "unasked";
    default:
      return "lost";
  }
}

/** One cell: numbers into the tables, and what is asked of it often. */
class Cell {
  constructor(gateway, scenario, row) {
    const axes = tables.scenarios[scenario].axes;
    const rest = axes.length;
    this.gateway = gateway;
    this.scenario = scenario;
    this.at = row.slice(0, rest);
    [this.expectedAt, this.observedAt, this.judgedAt, this.requestAt, this.ms] = row.slice(rest, rest + 5);
    this.id = row[rest + 5] ?? tables.scenarios[scenario].id +
      axes.map((axis, i) => (this.at[i] < 0 ? "" : "/" + axis.name + "=" + axis.values[this.at[i]].id)).join("");
    this.kind = kindOf(this.judged, this.expected);
    this.shown = true;
  }
  get expected() {
    return this.expectedAt < 0 ? null : tables.expected[this.expectedAt];
  }
  get observed() {
    return this.observedAt < 0 ? null : tables.observed[this.observedAt];
  }
  get judged() {
    return tables.judged[this.judgedAt];
  }
  get request() {
    return this.requestAt < 0 ? null : tables.requests[this.requestAt];
  }
  /** Whether `clawgauge repro` makes a script of it: not where another client sends it, or a real proxy passes it on. */
  get scripted() {
    return tables.scripted.every(([axis, own]) => {
      const place = tables.scenarios[this.scenario].axes.findIndex((it) => it.name === axis);
      return place < 0 || this.at[place] < 0 || this.value(place).id === own;
    });
  }
  get rule() {
    const expected = this.expected;
    return expected && tables.rules.find((it) => it.id === expected.rule && it.scenario === expected.scenario);
  }
  get issue() {
    const id = this.judged.issue;
    return id === undefined ? null : tables.known_issues.find((it) => it.id === id) ?? { id, url: "", title: "", means: "", workaround: "" };
  }
  /** Whether it makes the run fail, or nobody knows. */
  get bad() {
    return this.judged.standing === "fails" || this.kind === "lost";
  }
  value(axis) {
    const known = tables.scenarios[this.scenario].axes[axis];
    return this.at[axis] < 0 ? { id: "\u2013", short: "\u2013", title: "" } : known.values[this.at[axis]];
  }
  /** "token, valid, write: conforms, let in" */
  get label() {
    const values = this.at.map((_, axis) => visible(this.value(axis).id)).join(", ");
    const judged = this.judged;
    const words = [judged.verdict.replaceAll("-", " ")];
    if (judged.verdict === "conforms") {
      words.push(this.kind === "in" ? "let in" : "refused");
    } else if (judged.direction) {
      words.push(WORDS[judged.direction]);
    }
    if (judged.standing === "as-in-baseline" || judged.standing === "below-severity") {
      words.push(judged.standing.replaceAll("-", " "));
    }
    return (values || this.id) + ": " + words.join(", ");
  }
  /** The part of the page's address that names it; causes.rs writes the same. */
  get hash() {
    return "#" + encodeURIComponent(tables.gateways[this.gateway]) + "/" + this.id.split("/").map(encodeURIComponent).join("/").replaceAll("%3D", "=");
  }
}

const cells = JSON.parse(byId("cells").textContent).flatMap(([gateway, scenario, rows]) =>
  rows.map((row) => new Cell(gateway, scenario, row)),
);
const cellByAddress = new Map(cells.map((cell) => [tables.gateways[cell.gateway] + "/" + cell.id, cell]));

/** The cell that an address names. */
function cellOfHash(hash) {
  const [, gateway, id] = /^#([^/]+)\/(.+)$/s.exec(hash) ?? [];
  if (id === undefined) {
    return null;
  }
  try {
    return cellByAddress.get(decodeURIComponent(gateway) + "/" + decodeURIComponent(id)) ?? null;
  } catch {
    return null;
  }
}
