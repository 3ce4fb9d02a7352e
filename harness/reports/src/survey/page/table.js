// Puts the page together: buttons, addresses, keyboard.

/** What an address names: a row by its own name or by a cell, and the place of a release after an @. */
function placeOfHash() {
  let name = "";
  try {
    name = decodeURIComponent(location.hash.slice(1));
  } catch {
    return { row: null, release: -1 };
  }
  const [, start, version] = /^(.*)@([^@]*)$/s.exec(name) ?? [];
  const release = survey.releases.findIndex((release) => release.version === version);
  if (release >= 0) {
    name = start;
  }
  const row = name.startsWith("cell/") ? rows.find((row) => row.cells.includes(name.slice("cell/".length))) : rowById.get(name);
  return { row: row ?? null, release };
}

function sync() {
  const { row, release } = placeOfHash();
  rows.forEach((other) => {
    other.line.classList.toggle("current", other === row);
    other.line.querySelector("td.current")?.classList.remove("current");
  });
  row?.line.querySelectorAll("td")[release]?.classList.add("current");
  if (row === null) {
    return;
  }
  if (!row.shown) {
    asked.all = controls.all.checked = true;
    asked.text = asked.release = asked.look = controls.text.value = controls.release.value = controls.look.value = "";
    applySearch();
  }
  unfold(row, true);
  row.line.scrollIntoView({ block: "start" });
  row.button.focus({ preventScroll: true });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  // A box that is ticked and a list are no places to type in.
  const typing = event.target.matches?.('input:not([type="checkbox"]), textarea');
  if (event.key === "/" && !typing) {
    event.preventDefault();
    controls.text.focus();
    controls.text.select();
  } else if (event.key === "Escape" && event.target === controls.text) {
    searchFor("");
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.classList?.contains("open")) {
    const shown = rows.filter((row) => row.shown);
    const at = shown.findIndex((row) => row.button === event.target);
    const next = shown[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (next !== undefined) {
      event.preventDefault();
      next.button.focus({ preventScroll: true });
      next.line.scrollIntoView({ block: "nearest" });
    }
  }
}

function start() {
  document.documentElement.classList.add("scripted");
  theme.set(theme.get());
  byId("theme").addEventListener("click", () => theme.next());
  searchBar();
  for (const row of rows) {
    const words = [...row.line.querySelectorAll(".pair")].map((pair) => pair.textContent).join(", ");
    row.button = make("button", { type: "button", class: "open", "aria-expanded": "false", "aria-label": "Details: " + row.scenario + ", " + words }, "+");
    row.line.querySelector(".what").prepend(row.button);
    row.line.querySelector("th").addEventListener("click", (event) => {
      if (!event.target.closest("a")) {
        unfold(row);
      }
    });
    [...row.line.querySelectorAll("td")].forEach((cell, at) => {
      cell.title = survey.releases[at].version + ": " + (lookOf[row.marks[at]]?.words ?? "could not be asked") + (data.answers[row.place][at] ? " (" + visible(data.answers[row.place][at]) + ")" : "");
    });
  }
  document.addEventListener("click", (event) => {
    const text = event.target.closest("[data-search]")?.dataset.search;
    if (text !== undefined) {
      searchFor(text);
    }
  });
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", sync);
  applySearch();
  sync();
  performance.mark("clawgauge-ready");
}

start();
