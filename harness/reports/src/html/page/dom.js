// Small tools. Text from a gateway only ever becomes a text node or an attribute that is neither a handler nor an address.

/** An element with attributes and children; strings become text nodes. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

function makeSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

function byId(id) {
  return document.getElementById(id);
}

/** Only such addresses become links. */
function isWeb(url) {
  return /^https?:\/\//i.test(url);
}

function linkOr(text, url) {
  return isWeb(url) ? make("a", { href: url, rel: "noreferrer noopener" }, text) : text;
}

/** Characters that show nothing, or that turn the direction of what follows, are shown by their numbers. */
function visible(text) {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => "\u27e8U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "\u27e9",
  );
}

function plural(count, word, more = word + "s") {
  return count.toLocaleString("en") + " " + (count === 1 ? word : more);
}

/** As a shell takes it. */
function quoted(text) {
  return "'" + text.replaceAll("'", "'\\''") + "'";
}
