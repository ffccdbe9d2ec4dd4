// The keys, the theme, and live updates of the console. Every page works without this script.
import { listen } from "./live.js";
import { watchKeys } from "./keys.js";

const root = document.documentElement;
const part = (id) => document.getElementById(id);

function isDark() {
  const chosen = root.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function changeTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  document.dispatchEvent(new CustomEvent("theme"));
}

async function copy(button) {
  await navigator.clipboard.writeText(part(button.dataset.copy).textContent);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

// Where the navigation is wider than the window, its current page is shown.
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
part("theme").addEventListener("click", changeTheme);
part("keys").addEventListener("click", () => part("help").showModal());
for (const button of document.querySelectorAll("#theme, #keys, [data-copy]")) button.hidden = false;
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));

watchKeys({ t: changeTheme, "?": () => part("help").showModal(), "/": () => part("search").focus() });
listen();
