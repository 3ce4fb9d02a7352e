// The chosen colours.

/** The chosen colours; a browser that keeps nothing for local files forgets them. */
const theme = {
  names: ["auto", "light", "dark"],
  signs: { auto: "\u25d0", light: "\u2600", dark: "\u263e" },
  words: { auto: "as the system has them", light: "light", dark: "dark" },
  get() {
    try {
      return localStorage.getItem("clawgauge-theme") ?? "auto";
    } catch {
      return "auto";
    }
  },
  set(name) {
    const known = this.names.includes(name) ? name : "auto";
    document.documentElement.dataset.theme = known;
    const button = byId("theme");
    button.textContent = this.signs[known];
    button.setAttribute("aria-label", "Colours: " + this.words[known]);
    button.title = "Colours: " + this.words[known];
    try {
      localStorage.setItem("clawgauge-theme", known);
    } catch {
      // Nothing to do: the next visit begins as the system says.
    }
  },
  next() {
    const at = this.names.indexOf(document.documentElement.dataset.theme);
    this.set(this.names[(at + 1) % this.names.length]);
  },
};
