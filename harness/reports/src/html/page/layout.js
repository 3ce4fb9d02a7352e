// Which axis goes across, which go down, and which matrices there are.

const MANY_PROFILES = 6;
// A matrix of more cells than this is drawn in parts, each when it is scrolled to.
const BIG = 1200;

function layoutOf(scenario) {
  const axes = scenario.axes;
  const profile = axes.findIndex((axis) => axis.name === "profile");
  const rest = axes.map((_, i) => i).filter((i) => i !== profile);
  const last = rest.at(-1) ?? null;
  if (rest.length === 0) {
    return { split: null, across: null, down: profile < 0 ? [] : [profile] };
  }
  if (profile < 0) {
    return rest.length === 1 ? { split: null, across: null, down: rest } : { split: null, across: last, down: rest.slice(0, -1) };
  }
  if (rest.length === 1) {
    const wide = axes[profile].values.length > axes[last].values.length;
    return wide ? { split: null, across: last, down: [profile] } : { split: null, across: profile, down: [last] };
  }
  const few = axes[profile].values.length <= MANY_PROFILES;
  const down = rest.slice(0, -1);
  return few ? { split: profile, across: last, down } : { split: null, across: last, down: [profile, ...down] };
}

/** One table: rows of cells, and what stands beside and above them. */
class Matrix {
  constructor(scenario, layout, name, columns, rows) {
    this.scenario = scenario;
    this.layout = layout;
    this.name = name;
    this.columns = columns;
    this.rows = rows;
    this.cells = rows.flatMap((row) => row.filter(Boolean));
    for (const cell of this.cells) {
      cell.matrix = this;
    }
    this.figure = null;
    this.drawn = false;
  }
}

const byNumbers = (a, b) => {
  for (let i = 0; i < a.length; i += 1) {
    if (a[i] !== b[i]) {
      return a[i] - b[i];
    }
  }
  return 0;
};

/** The matrices of some cells of one scenario. */
function matricesOf(scenarioAt, some) {
  const scenario = tables.scenarios[scenarioAt];
  const layout = layoutOf(scenario);
  const parts = new Map();
  for (const cell of some) {
    const part = layout.split === null ? -1 : cell.at[layout.split];
    if (!parts.has(part)) {
      parts.set(part, []);
    }
    parts.get(part).push(cell);
  }
  return [...parts].flatMap(([part, own]) => {
    const columns = layout.across === null ? [0] : [...new Set(own.map((cell) => cell.at[layout.across]))].sort((a, b) => a - b);
    const place = new Map(columns.map((column, i) => [column, i]));
    const rows = new Map();
    for (const cell of own) {
      const key = layout.down.map((axis) => cell.at[axis]);
      const name = key.join();
      if (!rows.has(name)) {
        rows.set(name, { key, row: new Array(columns.length).fill(null) });
      }
      rows.get(name).row[layout.across === null ? 0 : place.get(cell.at[layout.across])] = cell;
    }
    const sorted = [...rows.values()].sort((a, b) => byNumbers(a.key, b.key)).map((it) => it.row);
    const name = part < 0 ? "" : scenario.axes[layout.split].values[part].id;
    const step = Math.max(1, Math.floor(BIG / columns.length));
    const matrices = [];
    for (let from = 0; from < sorted.length; from += step) {
      const rows = sorted.slice(from, from + step);
      const range = sorted.length > step ? "rows " + (from + 1) + " to " + (from + rows.length) : "";
      matrices.push(new Matrix(scenario, layout, [name, range].filter(Boolean).join(", "), columns, rows));
    }
    return matrices;
  });
}

/** A gateway's scenario on the page. */
class Part {
  constructor(gateway, scenario, own) {
    this.gateway = gateway;
    this.scenario = scenario;
    this.anchor = "g" + gateway + "-s" + scenario;
    this.cells = own;
    this.matrices = matricesOf(scenario, own);
    this.section = null;
  }
}

const parts = [];
{
  const groups = new Map();
  for (const cell of cells) {
    const key = cell.gateway + "," + cell.scenario;
    if (!groups.has(key)) {
      groups.set(key, []);
    }
    groups.get(key).push(cell);
  }
  for (const own of groups.values()) {
    parts.push(new Part(own[0].gateway, own[0].scenario, own));
  }
  parts.sort((a, b) => a.gateway - b.gateway || a.scenario - b.scenario);
}
const matrices = parts.flatMap((part) => part.matrices);
