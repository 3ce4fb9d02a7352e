// Puts the page together.

function sectionOf(part) {
  const scenario = tables.scenarios[part.scenario];
  const onGateway = tables.gateways.length > 1 ? " on " + visible(tables.gateways[part.gateway]) : "";
  part.section = make("section", { class: "scenario", id: part.anchor, "aria-label": visible(scenario.id) + onGateway, tabindex: -1 },
    make("h3", {}, visible(scenario.id), onGateway === "" ? "" : make("span", { class: "note" }, onGateway), scenario.file === "" ? "" : make("span", { class: "from" }, visible(scenario.file))),
    make("p", { class: "title" }, visible(scenario.title)),
    make("div", { class: "matrices" }, part.matrices.map(placeOf)));
  return part.section;
}

function start() {
  document.documentElement.classList.add("scripted");
  theme.set(theme.get());
  byId("theme").addEventListener("click", () => theme.next());
  const place = byId("matrices");
  if (cells.length === 0) {
    place.append(make("p", { class: "lead" }, "No cell was selected."));
  } else {
    const bar = filterBar();
    place.append(bar, make("p", { class: "hint" }, "A click or ", make("kbd", {}, "Enter"), " opens a cell, arrow keys walk, ", make("kbd", {}, "Esc"), " closes, ", make("kbd", {}, "/"), " filters. Words of the filter must all be there; ", make("code", {}, "verdict:deviates"), ", ", make("code", {}, "cause:1"), ", ", make("code", {}, "issue:\u2026"), " and ", make("code", {}, "rule:\u2026"), " are exact."),
      controls.nothing, ...parts.map(sectionOf));
    applyFilter();
    for (const glance of document.querySelectorAll(".glance")) {
      const part = parts.find((it) => it.anchor === glance.dataset.of);
      if (part !== undefined) {
        glance.append(glanceOf(part));
      }
    }
    document.addEventListener("keydown", onKey);
    document.addEventListener("click", (event) => {
      const filter = event.target.closest("[data-filter]")?.dataset.filter;
      if (filter !== undefined) {
        filterBy(filter);
      }
    });
    matrices.forEach((matrix) => near.observe(matrix.figure));
    detailsReady();
    sync();
  }
  performance.mark("clawgauge-ready");
}

start();
