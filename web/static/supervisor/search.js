// @ts-check
/** Looking for what was said, page by page, and reading the conversation it was said in. */

import { fragment, parsed, post } from "../desk/api.js";
import { openKnown, prepare, setUpDialogs } from "../desk/dialogs.js";
import { setUpHearing } from "../desk/hearing.js";
import { setUpKeys } from "../desk/keys.js";
import { announce, toast } from "../desk/notices.js";
import { Transcript } from "../desk/transcript.js";
import { element } from "../desk/words.js";

const form = /** @type {HTMLFormElement} */ (element("search-form"));
const results = element("results");
const found = element("found");
/** @type {Record<string, string>} what the shown results were looked for by */
let sought = {};
/** Counts what was asked for, so that an answer that was overtaken is left alone. */
let asked = 0;
/** @type {HTMLElement | null} */
let opener = null;

/** @param {SubmitEvent} event */
async function search(event) {
  event.preventDefault();
  const fields = Object.fromEntries(Array.from(new FormData(form), ([name, value]) => [name, String(value)]));
  const html = await page(fields);
  if (html === null) return;
  sought = fields;
  close();
  results.replaceChildren(...html.childNodes);
  results.scrollTop = 0;
}

/** @param {HTMLElement} button that stands where the next page belongs */
async function goOn(button) {
  const html = await page({ ...sought, before: button.dataset.before ?? "" });
  if (html === null) return;
  const first = html.querySelector("button");
  button.replaceWith(...html.childNodes);
  first?.focus();
}

/**
 * @param {Record<string, string>} fields
 * @returns {Promise<HTMLElement | null>} null: refused or overtaken
 */
async function page(fields) {
  asked += 1;
  const turn = asked;
  const answer = await post("/supervisor/search", fields);
  if (turn !== asked) return null;
  const problem = element("search-problem");
  problem.hidden = answer.kind === "ok";
  if (answer.kind === "ok") {
    announce(answer.data.message);
    return parsed(answer.data.html);
  }
  problem.textContent = answer.message;
  return null;
}

/** @param {HTMLElement} result */
async function read(result) {
  const answer = await fragment(`/supervisor/search/c/${encodeURIComponent(result.dataset.conversation ?? "")}`);
  if (answer.kind !== "ok") return toast(answer.message, "bad");
  opener = result;
  found.replaceChildren(...answer.body.childNodes);
  found.hidden = false;
  prepare(found);
  new Transcript(element("log"));
  mark();
  element("found-who").focus();
  const line = found.querySelector(`.line[data-seq="${Number(result.dataset.seqFound)}"]`);
  line?.classList.add("is-found");
  line?.scrollIntoView({ block: "center" });
}

function close() {
  found.hidden = true;
  found.replaceChildren();
  opener?.focus();
  opener = null;
  mark();
}

function mark() {
  for (const result of results.querySelectorAll(".result")) {
    if (result === opener) result.setAttribute("aria-current", "true");
    else result.removeAttribute("aria-current");
  }
}

/** @param {MouseEvent} event */
function clicked(event) {
  const target = event.target instanceof Element ? event.target.closest("button") : null;
  if (!target) return;
  if (target.dataset.conversation) read(target);
  else if (target.dataset.before) goOn(target);
  else if (target.dataset.act === "close") close();
}

function setUp() {
  setUpDialogs();
  setUpHearing();
  form.addEventListener("submit", search);
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !found.hidden && !document.querySelector("dialog[open]")) close();
  });
  setUpKeys({ KeyF: () => element("words").focus() }, () => openKnown("keys"));
}

setUp();
