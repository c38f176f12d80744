// @ts-check
// Light or dark as the member has chosen on this machine, or as the system says. It runs before the page is painted.

const KEY = "staff-theme";
const root = document.documentElement;

/** @returns {string} */
function chosen() {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "";
  } catch {
    return ""; // storage is switched off: the system decides
  }
}

/** @param {string} theme */
function apply(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
}

function toggle() {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = dark ? "light" : "dark";
  apply(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // it holds for this page alone
  }
}

apply(chosen());
addEventListener("storage", (event) => {
  if (event.key === KEY) apply(chosen());
});
addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.addEventListener("click", toggle);
    button.removeAttribute("hidden");
  }
});
