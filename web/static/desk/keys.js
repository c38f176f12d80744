// @ts-check
/** Everything by keyboard. Keys are named by their place, as Alt writes other letters on some keyboards. */

import { isDialogOpen } from "./dialogs.js";

/** @typedef {Record<string, () => void>} Actions by `KeyboardEvent.code` */

/**
 * @param {Actions} actions with Alt
 * @param {() => void} help for `?`
 */
export function setUpKeys(actions, help) {
  document.addEventListener("keydown", (event) => {
    if (isDialogOpen() || event.isComposing) return;
    const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey;
    if (isPlain && event.key === "?" && !isWriting(event.target)) {
      event.preventDefault();
      help();
    }
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const action = event.code === "Slash" ? help : actions[event.code];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** @param {EventTarget | null} target */
function isWriting(target) {
  return target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);
}
