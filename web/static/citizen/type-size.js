// Runs before the page is painted, so that large type does not jump in afterwards.
(function () {
  "use strict";
  try {
    if (window.localStorage.getItem("chat.large") === "1") document.documentElement.dataset.size = "large";
  } catch {
    // Storage is switched off in this browser: the type size is then not remembered.
  }
})();
