// @ts-check
/** A call looked up by its conversation's number. */

import { fragment } from "./api.js";
import { openKnown, prepare, setUpDialogs } from "./dialogs.js";
import { setUpHearing } from "./hearing.js";
import { setUpKeys } from "./keys.js";
import { element } from "./words.js";

const form = /** @type {HTMLFormElement} */ (element("find-form"));
const field = /** @type {HTMLInputElement} */ (element("conversation"));
const found = element("found");

async function find() {
  const id = field.value.trim();
  if (!id) return field.focus();
  const answer = await fragment(`/desk/c/${encodeURIComponent(id)}/recording`);
  const problem = /** @type {HTMLElement} */ (form.querySelector("[data-problem]"));
  problem.hidden = answer.kind === "ok";
  found.replaceChildren();
  if (answer.kind !== "ok") {
    problem.textContent = answer.message;
    return;
  }
  found.replaceChildren(...answer.body.childNodes);
  prepare(found);
  found.focus();
}

setUpDialogs();
setUpHearing();
setUpKeys({}, () => openKnown("keys"));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
if (field.value) find();
