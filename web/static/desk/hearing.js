// @ts-check
/** Recordings of calls: fetched whole once it is said why, so that one may go to any place in them. */

import { refusal } from "./api.js";
import { shownAs } from "./ticking.js";
import { words } from "./words.js";

const TIME_LIMIT_MS = 120_000;
const GAPS_HEADER = "X-Recording-Gaps";

/** Forms of recordings play what they ask for. */
export function setUpHearing() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.dataset.recording) return;
    event.preventDefault();
    hear(form);
  });
}

/** @param {HTMLFormElement} form */
async function hear(form) {
  const place = /** @type {HTMLElement} */ (form.parentElement?.querySelector(".recording-player"));
  const purpose = String(new FormData(form).get("purpose") ?? "");
  complain(form, "");
  place.textContent = words.recording_loading;
  try {
    const response = await fetch(`${form.dataset.recording}?purpose=${encodeURIComponent(purpose)}`, {
      credentials: "same-origin",
      headers: { Accept: "audio/wav" },
      redirect: "error",
      signal: AbortSignal.timeout(TIME_LIMIT_MS),
    });
    if (!response.ok) throw new Error(refusal(response.status, await response.text()).message);
    show(place, await response.blob(), response.headers.get(GAPS_HEADER) ?? "");
  } catch (error) {
    place.replaceChildren();
    complain(form, error instanceof Error && error.name === "Error" ? error.message : words.elsewhere);
  }
}

/**
 * @param {HTMLElement} place
 * @param {Blob} sound
 * @param {string} gaps seconds, separated by commas
 */
function show(place, sound, gaps) {
  const player = document.createElement("audio");
  player.controls = true;
  player.className = "player";
  player.setAttribute("controlslist", "nodownload noplaybackrate");
  player.src = URL.createObjectURL(sound);
  player.addEventListener("loadeddata", () => player.play().catch(() => {}), { once: true });
  place.replaceChildren(player);
  if (gaps) place.append(pauses(player, gaps.split(",").map(Number)));
  player.focus();
}

/**
 * Where recording was paused, each a way to that place.
 * @param {HTMLAudioElement} player
 * @param {number[]} gaps
 */
function pauses(player, gaps) {
  const list = document.createElement("p");
  list.className = "pauses";
  list.append(words.recording_paused_at);
  for (const at of gaps) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link-button number";
    button.textContent = shownAs(at);
    button.addEventListener("click", () => {
      player.currentTime = at;
    });
    list.append(" ", button);
  }
  return list;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} sentence empty: nothing is wrong
 */
function complain(form, sentence) {
  const place = form.querySelector("[data-problem]");
  if (!(place instanceof HTMLElement)) return;
  place.textContent = sentence;
  place.hidden = sentence === "";
}
