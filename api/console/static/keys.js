// Keys: g and an initial goes to a page; j, k, x and Enter walk through the rows of a table.
import { refresh } from "./live.js";

const TYPING = "input, textarea, select, [contenteditable]";
let isGoing = false;

function go(key) {
  const link = document.querySelector(`nav a[data-key="${CSS.escape(key)}"]`);
  if (link) location.assign(link.href);
}

function rows() {
  return [...document.querySelectorAll("table.rows tbody tr")].filter((row) => row.offsetParent);
}

function step(by) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.querySelector("a, input")?.focus();
}

function select() {
  const box = document.activeElement?.closest("tr")?.querySelector("input[type=checkbox]");
  if (box) box.checked = !box.checked;
}

export function watchKeys(ofPage) {
  const keys = { ...ofPage, j: () => step(1), k: () => step(-1), x: select, r: refresh };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      keys["/"]();
      return;
    }
    const isTyping = event.target.matches(TYPING) && event.target.type !== "checkbox";
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping || document.querySelector("dialog[open]")) return;
    if (isGoing) {
      isGoing = false;
      go(event.key);
    } else if (event.key === "g") {
      isGoing = true;
      setTimeout(() => { isGoing = false; }, 1500);
    } else if (event.key in keys) {
      event.preventDefault();
      keys[event.key]();
    }
  });
}
