// The keyboard: arrow keys walk over the cells, Enter opens (a button does that by itself), Escape closes, / filters.

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** Puts the focus on a cell, drawing its matrix if need be. */
function focusCell(cell) {
  const matrix = cell.matrix;
  draw(matrix);
  if (matrix.stop) {
    matrix.stop.button.tabIndex = -1;
  }
  matrix.stop = cell;
  cell.button.tabIndex = 0;
  cell.button.focus({ preventScroll: true });
  cell.button.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** The next shown cell from one in a direction; above and below go on into the next matrix. */
function neighbour(cell, [down, right]) {
  const { rows } = cell.matrix;
  let row = rows.findIndex((it) => it.includes(cell));
  let column = rows[row].indexOf(cell);
  for (;;) {
    row += down;
    column += right;
    if (rows[row] === undefined) {
      break;
    }
    if (column < 0 || column >= rows[row].length) {
      return null;
    }
    if (rows[row][column]?.shown) {
      return rows[row][column];
    }
  }
  for (let i = matrices.indexOf(cell.matrix) + down; i >= 0 && i < matrices.length; i += down) {
    const lines = down > 0 ? matrices[i].rows : matrices[i].rows.toReversed();
    const found = lines.map((line) => line[column]?.shown ? line[column] : line.find((it) => it?.shown)).find(Boolean);
    if (found !== undefined) {
      return found;
    }
  }
  return null;
}

/** The first or last shown cell of a cell's row. */
function endOfRow(cell, last) {
  const row = cell.matrix.rows.find((it) => it.includes(cell)).filter((it) => it?.shown);
  return row.at(last ? -1 : 0);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const target = event.target;
  const typing = target.matches?.("input, select, textarea");
  if (event.key === "/" && !typing && !sheet.open) {
    event.preventDefault();
    controls.text.focus();
    controls.text.select();
    return;
  }
  if (event.key === "Escape" && target === controls.text) {
    clearFilter();
    applyFilter();
    return;
  }
  // Within the details the arrow keys walk on, but not where they scroll.
  const inside = sheet.open && current !== null && !target.closest?.("pre, .scroll, .command");
  const from = target.cell ?? (inside ? current : null);
  if (from === null || from === undefined) {
    return;
  }
  const step = STEPS[event.key];
  const to = step ? neighbour(from, step) : event.key === "Home" || event.key === "End" ? endOfRow(from, event.key === "End") : undefined;
  if (to === undefined) {
    return;
  }
  event.preventDefault();
  if (to !== null) {
    if (inside) {
      moveTo(to);
    } else {
      focusCell(to);
    }
  }
}
