// Two answers side by side, with the lines marked that differ.

// Above this many comparisons all lines between the equal ends count as changed.
const MOST = 1_000_000;

/** Pairs of lines: equal ones together, others with an empty side. */
function pairsOf(left, right) {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) {
    start += 1;
  }
  let end = 0;
  while (end < left.length - start && end < right.length - start && left[left.length - 1 - end] === right[right.length - 1 - end]) {
    end += 1;
  }
  const a = left.slice(start, left.length - end);
  const b = right.slice(start, right.length - end);
  return [
    ...left.slice(0, start).map((line) => [line, line]),
    ...middleOf(a, b),
    ...left.slice(left.length - end).map((line) => [line, line]),
  ];
}

/** Pairs of what lies between the equal ends: the longest common subsequence stays together. */
function middleOf(a, b) {
  const pairs = [];
  let gone = [];
  let come = [];
  const flush = () => {
    for (let i = 0; i < Math.max(gone.length, come.length); i += 1) {
      pairs.push([gone[i] ?? null, come[i] ?? null]);
    }
    gone = [];
    come = [];
  };
  const lengths = a.length * b.length > MOST ? null : commonLengths(a, b);
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (lengths !== null && i < a.length && j < b.length && a[i] === b[j]) {
      flush();
      pairs.push([a[i], b[j]]);
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || lengths === null || lengths[i + 1][j] >= lengths[i][j + 1])) {
      gone.push(a[i]);
      i += 1;
    } else {
      come.push(b[j]);
      j += 1;
    }
  }
  flush();
  return pairs;
}

function commonLengths(a, b) {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths;
}

const linesOf = (text) => text.replace(/\n$/, "").split("\n");

/** The table of two answers; either may be missing, with the reason. */
function answersOf(expected, observed, missing) {
  const pairs = expected === null || observed === null
    ? linesOf(expected ?? observed ?? "").map((line) => [expected === null ? null : line, observed === null ? null : line])
    : pairsOf(linesOf(expected), linesOf(observed));
  const compared = expected !== null && observed !== null;
  const side = (line, other, name) => {
    const differs = compared && line !== other;
    const kind = line === null ? "void" : differs ? name : "same";
    const sign = line === null || !differs ? " " : name === "minus" ? "\u2212" : "+";
    const td = make("td", { class: kind + (name === "plus" ? " right" : "") });
    if (line !== null) {
      td.append(make("span", { class: "sign", "aria-hidden": !differs }, sign), differs ? make("span", { class: "hidden" }, name === "minus" ? "only expected: " : "only observed: ") : "", make("code", {}, visible(line)));
    }
    return td;
  };
  // Lines that differ and follow each other are one body: in one column all expected ones come before the observed ones.
  const bodies = [];
  for (const [left, right] of pairs) {
    const kind = compared && left !== right ? "hunk" : "even";
    if (bodies.at(-1)?.className !== kind) {
      bodies.push(make("tbody", { class: kind }));
    }
    bodies.at(-1).append(make("tr", {}, side(left, right, "minus"), side(right, left, "plus")));
  }
  const head = (name, there, why) => make("th", { scope: "col" }, name, there ? "" : make("span", { class: "note" }, " " + why));
  return make("table", { class: compared ? "answers compared" : "answers", "aria-label": "Expected and observed answer" },
    make("thead", {}, make("tr", {}, head("Expected", expected !== null, missing.expected), head("Observed", observed !== null, missing.observed))),
    bodies);
}
