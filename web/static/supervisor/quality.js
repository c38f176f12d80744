// @ts-check
/** Drawing conversations and scoring them, by keyboard if one likes. */

import { post } from "../desk/api.js";
import { openKnown, prepare, setUpDialogs } from "../desk/dialogs.js";
import { setUpHearing } from "../desk/hearing.js";
import { setUpKeys } from "../desk/keys.js";
import { forms } from "../desk/memory.js";
import { Transcript } from "../desk/transcript.js";
import { element } from "../desk/words.js";

class ScoreForm {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.points = /** @type {HTMLInputElement[]} */ (Array.from(form.querySelectorAll("input[type=number]")));
    this.reason = /** @type {HTMLTextAreaElement} */ (element("reason"));
    this.isSaving = false;
    prepare(element("score")); // what was written before and not saved
    form.addEventListener("input", () => this.reckon());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.reckon();
  }

  get total() {
    return this.points.reduce((sum, field) => sum + (field.validity.valid ? field.valueAsNumber : Number.NaN), 0);
  }

  /** The sum, what is taken off, and whether a reason is asked for. */
  reckon() {
    for (const field of this.points) {
      const isRight = field.validity.valid;
      field.setAttribute("aria-invalid", String(!isRight));
      const lost = isRight ? Number(field.max) - field.valueAsNumber : 0;
      const place = /** @type {HTMLElement} */ (field.parentElement?.querySelector("[data-lost]"));
      place.textContent = `−${lost}`;
      place.hidden = lost === 0;
    }
    const { total } = this;
    element("total").textContent = Number.isNaN(total) ? "—" : String(total);
    this.reason.required = total < Number(this.form.dataset.full);
    if (this.reason.value.trim() || !this.reason.required) this.reason.removeAttribute("aria-invalid");
  }

  async save() {
    if (this.isSaving) return;
    this.isSaving = true;
    const fields = Object.fromEntries(Array.from(new FormData(this.form), ([name, value]) => [name, String(value)]));
    const answer = await post(this.form.getAttribute("action") ?? "", fields);
    this.isSaving = false;
    if (answer.kind === "ok") {
      forms.write(this.form.dataset.keep ?? "", undefined);
      location.assign(answer.data.next);
    } else {
      this.complain(answer.message, answer.kind === "refused" ? answer.code : "");
    }
  }

  /**
   * @param {string} sentence
   * @param {string} code
   */
  complain(sentence, code) {
    const place = element("score-problem");
    place.textContent = sentence;
    place.hidden = false;
    if (code === "reason") {
      this.reason.setAttribute("aria-invalid", "true");
      this.reason.focus();
    } else if (code === "scores") {
      this.points.find((field) => !field.validity.valid)?.focus();
    }
  }
}

/**
 * The transcript is in order, and where the agent took the conversation is in sight.
 * @param {HTMLElement} log
 */
function showTalk(log) {
  new Transcript(log);
  const taken = Date.parse(/** @type {HTMLElement | null} */ (log.closest("[data-taken]"))?.dataset.taken ?? "");
  const lines = /** @type {HTMLElement[]} */ (Array.from(log.querySelectorAll(".line")));
  lines.find((line) => Date.parse(line.dataset.at ?? "") >= taken)?.scrollIntoView({ block: "center" });
}

function setUp() {
  setUpDialogs();
  setUpHearing();
  const log = document.getElementById("log");
  if (log) showTalk(log);
  const form = document.getElementById("score-form");
  const score = form instanceof HTMLFormElement ? new ScoreForm(form) : null;
  const press = (/** @type {string} */ selector) =>
    /** @type {HTMLElement | null} */ (document.querySelector(selector))?.click();
  const help = () => openKnown("keys");
  setUpKeys(
    {
      KeyD: () => press('[data-key="draw"]'),
      KeyS: () => score?.form.requestSubmit(),
      KeyN: () => press("#onward"),
      KeyC: () => score?.points[0]?.select(),
      KeyR: () => score?.reason.focus(),
    },
    help,
  );
  // Unless somebody was quicker than the script.
  if (document.activeElement === document.body) score?.points[0]?.select();
}

setUp();
