// Drawing: matrices when they come near the window, and the small pictures of the overview.

const CELL = 28;
const LONG_HEAD = 3;

/** Counts by what the cells look like, in words, what fails first. */
function tallyOf(some) {
  const counts = new Map();
  for (const cell of some) {
    counts.set(cell.kind, (counts.get(cell.kind) ?? 0) + 1);
  }
  return Object.keys(KINDS).filter((kind) => counts.has(kind)).map((kind) => [kind, counts.get(kind)]);
}

/** The empty place of a matrix, as large as the matrix will be. */
function placeOf(matrix) {
  const heads = matrix.layout.across === null ? 1 : 2;
  const name = matrix.name;
  const caption = make("figcaption", {}, name === "" ? "" : make("b", {}, visible(name)), make("span", { class: "tally-kinds" },
    tallyOf(matrix.cells).map(([kind, count]) => make("span", { class: "mini" }, make("i", { class: "k k-" + kind, "aria-hidden": true }, KINDS[kind][0]), make("span", { class: "hidden" }, KINDS[kind][1] + ": "), String(count)))));
  const box = make("div", { class: "scroll" });
  box.style.minHeight = (matrix.rows.length + heads) * CELL + "px";
  box.style.minWidth = "min(100%, " + (matrix.columns.length * CELL + 150) + "px)";
  matrix.box = box;
  matrix.figure = make("figure", { class: "matrix" }, caption, box);
  matrix.figure.matrix = matrix;
  return matrix.figure;
}

function buttonOf(cell) {
  const standing = cell.judged.standing;
  const excused = standing === "as-in-baseline" || standing === "below-severity";
  const retried = cell.judged.attempts !== undefined;
  const name = "k k-" + cell.kind + (excused ? " excused" : "") + (retried ? " retried" : "") + (cell.shown ? "" : " off");
  const button = make("button", { type: "button", class: name, "aria-label": cell.label, tabindex: -1 }, KINDS[cell.kind][0]);
  button.cell = cell;
  cell.button = button;
  return button;
}

function headOf(matrix) {
  const axes = matrix.scenario.axes;
  const { across, down } = matrix.layout;
  const downName = down.map((axis) => axes[axis].name).join(" \u00b7 ");
  if (across === null) {
    return [make("tr", {}, make("th", { scope: "col", class: "corner" }, visible(downName || "all")), make("th", { scope: "col" }, make("span", { class: "hidden" }, "verdict")))];
  }
  const heads = matrix.columns.map((column) => axes[across].values[column] ?? { id: "\u2013", short: "\u2013", title: "" });
  const long = heads.some((value) => value.short.length > LONG_HEAD);
  return [make("tr", { class: long ? "long" : null },
    make("th", { scope: "col", class: "corner" }, make("span", { class: "across" }, visible(axes[across].name) + " \u2192"), make("span", {}, visible(downName || "all") + " \u2193")),
    heads.map((value) => make("th", { scope: "col", title: visible(value.id + (value.title === "" ? "" : ": " + value.title)) }, make("span", { class: value.short.length > 2 ? null : "level" }, visible(value.short)))))];
}

/** Fills the place of a matrix. */
function draw(matrix) {
  if (matrix.drawn) {
    return;
  }
  matrix.drawn = true;
  const { down } = matrix.layout;
  const body = make("tbody");
  let before = null;
  for (const row of matrix.rows) {
    const first = row.find(Boolean);
    const values = down.map((axis) => first.value(axis));
    const outer = values.slice(0, -1).map((value) => visible(value.short)).join(" ");
    const inner = values.at(-1) ?? { short: "all", id: "all", title: "" };
    const head = make("th", { scope: "row", title: visible(values.map((value) => value.id + (value.title === "" ? "" : ": " + value.title)).join("\n")) },
      outer === "" ? visible(inner.short) : make("span", { class: "names" }, make("span", { class: "outer" }, outer), " ", make("span", {}, visible(inner.short))));
    const line = make("tr", { class: outer !== "" && outer !== before ? "first" : null }, head,
      row.map((cell) => make("td", {}, cell === null ? "" : buttonOf(cell))));
    line.outer = outer;
    before = outer;
    body.append(line);
  }
  const name = [visible(matrix.scenario.id), visible(matrix.name), parts.length > 0 && tables.gateways.length > 1 ? visible(tables.gateways[matrix.cells[0].gateway]) : ""].filter(Boolean).join(", ");
  matrix.table = make("table", { role: "grid", "aria-label": name }, make("thead", {}, headOf(matrix)), body);
  matrix.body = body;
  matrix.box.style.minHeight = "";
  matrix.box.style.minWidth = "";
  matrix.box.append(matrix.table);
  matrix.table.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.cell) {
      focusCell(button.cell);
      visit(button.cell);
    }
  });
  for (const kind of ["pointerover", "focusin"]) {
    matrix.table.addEventListener(kind, (event) => mark(matrix, event.target.closest("button")?.cell ?? null));
  }
  matrix.table.addEventListener("pointerleave", () => mark(matrix, null));
  settle(matrix);
}

/** Shows in the heads where the pointer or the focus is. */
function mark(matrix, cell) {
  matrix.marked?.forEach((element) => element.classList.remove("here"));
  matrix.marked = [];
  if (cell !== null) {
    const td = cell.button.parentElement;
    matrix.marked = [matrix.table.tHead.rows[0].cells[td.cellIndex], td.parentElement.cells[0]];
    matrix.marked.forEach((element) => element.classList.add("here"));
  }
}

/** After drawing or filtering: hides rows without a match, gives each group its name, keeps one tab stop. */
function settle(matrix) {
  let before = null;
  for (const [i, line] of [...matrix.body.rows].entries()) {
    const shown = matrix.rows[i].some((cell) => cell !== null && cell.shown);
    line.hidden = !shown;
    if (shown) {
      line.classList.toggle("first", line.outer !== "" && line.outer !== before);
      before = line.outer;
    }
    for (const cell of matrix.rows[i]) {
      cell?.button.classList.toggle("off", !cell.shown);
    }
  }
  const stop = matrix.stop?.shown ? matrix.stop : matrix.cells.find((cell) => cell.shown);
  if (matrix.stop?.button) {
    matrix.stop.button.tabIndex = -1;
  }
  matrix.stop = stop ?? null;
  if (stop) {
    stop.button.tabIndex = 0;
  }
}

const near = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((it) => it.isIntersecting)) {
    near.unobserve(entry.target);
    waiting.push(entry.target.matrix);
  }
  drawWaiting();
}, { rootMargin: "1200px" });
const waiting = [];
let drawing = false;

/** Draws what has come near, a few milliseconds a frame, so that scrolling stays smooth. */
function drawWaiting() {
  if (drawing || waiting.length === 0) {
    return;
  }
  drawing = true;
  requestAnimationFrame(() => {
    const until = performance.now() + 8;
    do {
      draw(waiting.shift());
    } while (waiting.length > 0 && performance.now() < until);
    drawing = false;
    drawWaiting();
  });
}

/** On paper nothing is scrolled to. */
addEventListener("beforeprint", () => matrices.forEach(draw));

/** A picture of all matrices of a part, a small square a cell; equal neighbours are one rectangle. */
function glanceOf(part) {
  const paths = new Map();
  let left = 0;
  let height = 0;
  for (const matrix of part.matrices) {
    const turned = matrix.rows.length > 1.5 * matrix.columns.length;
    const lines = turned ? matrix.columns.map((_, i) => matrix.rows.map((row) => row[i])) : matrix.rows;
    lines.forEach((line, y) => {
      for (let x = 0; x < line.length; ) {
        const kind = line[x]?.kind;
        let end = x + 1;
        while (end < line.length && line[end]?.kind === kind) {
          end += 1;
        }
        if (kind !== undefined) {
          paths.set(kind, (paths.get(kind) ?? "") + "M" + (left + x) + " " + y + "h" + (end - x) + "v1h" + (x - end) + "z");
        }
        x = end;
      }
    });
    left += (lines[0]?.length ?? 0) + 1;
    height = Math.max(height, lines.length);
  }
  const width = Math.max(1, left - 1);
  const unit = height > 16 ? 2 : height > 4 ? 3 : 5;
  const drawn = [...paths].map(([kind, d]) => makeSvg("path", { class: "f-" + kind, d }));
  return makeSvg("svg", { viewBox: "0 0 " + width + " " + height, width: width * unit, height: height * unit, "aria-hidden": "true", "shape-rendering": "crispEdges" }, ...drawn);
}
