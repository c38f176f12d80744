// @ts-check
/** Puts the page together: what arrives is shown, what is written is sent, in the order it was written. */

import { sendMessage, start } from "./api.js";
import { Composer } from "./composer.js";
import { Feed } from "./feed.js";
import { Follow } from "./follow.js";
import { element, newId, readWords } from "./lines.js";
import { Log, made } from "./log.js";
import { large, pending } from "./memory.js";
import { Typing } from "./typing.js";

/** @typedef {import("./lines.js").Choice} Choice */
/** @typedef {import("./lines.js").Line} Line */
/** @typedef {import("./lines.js").Message} Message */

const QUIET_MS = 800;
const RECONNECTED_MS = 2000;
const WELCOME_AGAIN_MS = 30 * 60 * 1000;

const words = readWords();
const log = element("log");
const scroller = element("scroller");
const welcome = element("welcome");
const chips = element("chips");
const link = element("link");
const quick = /** @type {NodeListOf<HTMLButtonElement>} */ (welcome.querySelectorAll(".quick"));

const follow = new Follow(scroller, element("new-lines"));
const rows = new Log(log, words, (message) => send(message));
const typing = new Typing(words, () => follow.settle());
const composer = new Composer(words, ask);
const feed = new Feed({ lines: showLines, typing: (state) => typing.set(state), state: showLink });

let isFirstRead = true;
/** @type {Promise<void>} */
let queue = Promise.resolve();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let linkTimer;

/** @param {string} text */
function ask(text) {
  const message = { id: newId(), text };
  welcome.hidden = true;
  showChips([]);
  rows.showOwn(message);
  follow.toEnd();
  send(message);
}

/** @param {Message} message */
function send(message) {
  composer.complain("");
  pending.add(message);
  rows.setDelivery(message, "sending");
  follow.settle();
  // One after the other, so that two quick questions are stored in the order they were asked.
  queue = queue.then(() => deliver(message));
}

/** @param {Message} message */
async function deliver(message) {
  const outcome = await sendMessage(message);
  if (outcome.kind === "ok") {
    pending.remove(message.id);
    rows.setDelivery(message, "sent");
    if (!rows.isStored(message.id)) feed.expectLine();
    return;
  }
  if (outcome.kind === "refused") {
    pending.remove(message.id);
    rows.remove(message.id);
    composer.giveBack(message.text);
  } else {
    rows.setDelivery(message, "failed");
  }
  if (outcome.kind === "expired") showLink("expired");
  else if (outcome.kind !== "unreachable") composer.complain(outcome.sentence);
  follow.settle();
}

/** @param {Line[]} lines */
function showLines(lines) {
  if (isFirstRead) return showHistory(lines);
  for (const line of lines) {
    const row = rows.show(line);
    pending.remove(line.id);
    if (line.author === "citizen") {
      welcome.hidden = true;
      showChips([]);
    } else {
      typing.clear();
      showChips(line.choices);
    }
    if (isGreeting()) follow.toStart();
    else follow.lineAdded(row);
  }
}

/** True while nothing has been asked: the greeting and the questions below it are the whole page. */
function isGreeting() {
  return !welcome.hidden && !rows.hasQuestion();
}

/** @param {Line[]} lines */
function showHistory(lines) {
  isFirstRead = false;
  const hasAsked = rows.hasQuestion();
  lines.forEach((line) => rows.show(line));
  pending.all().forEach(restore);
  const last = lines[lines.length - 1];
  const isRecent = last !== undefined && Date.now() - Date.parse(last.at) < WELCOME_AGAIN_MS;
  welcome.hidden = hasAsked || pending.all().length > 0 || (isRecent && rows.hasQuestion());
  if (last && last.author !== "citizen") showChips(last.choices);
  log.setAttribute("aria-busy", "false");
  if (isGreeting()) follow.toStart();
  else follow.toEnd();
  if (!last && !hasAsked) start();
}

/** @param {Message} message not known to have arrived when the page was left */
function restore(message) {
  if (rows.isStored(message.id)) return pending.remove(message.id);
  if (rows.isShown(message.id)) return;
  rows.showOwn(message);
  rows.setDelivery(message, "failed");
}

/** @param {Choice[]} choices */
function showChips(choices) {
  const offered = welcome.hidden ? [] : Array.from(quick, (button) => button.dataset.text);
  // Six questions are enough to begin with.
  const shown = isGreeting() ? [] : choices.filter((choice) => !offered.includes(choice.text));
  chips.replaceChildren(...shown.map(chip));
  chips.hidden = shown.length === 0;
}

/** @param {Choice} choice */
function chip(choice) {
  if (choice.url) return pageChip(choice.label, choice.url);
  const button = /** @type {HTMLButtonElement} */ (made("button", "chip", choice.label));
  button.type = "button";
  button.addEventListener("click", () => choose(choice.text));
  return button;
}

/**
 * A chip that opens a page of ours; any other address stays plain text.
 * @param {string} label
 * @param {string} url
 */
function pageChip(label, url) {
  const page = new URL(url, location.href);
  const isOurs = page.origin === location.origin;
  const chip = made(isOurs ? "a" : "span", "chip", label);
  if (chip instanceof HTMLAnchorElement) chip.href = page.href;
  return chip;
}

/** @param {string} text */
function choose(text) {
  ask(text);
  // The button is gone. On a phone the input box must not open the keyboard over the answer.
  if (matchMedia("(pointer: coarse)").matches) scroller.focus({ preventScroll: true });
  else composer.focus();
}

/** @param {import("./feed.js").FeedState} state */
function showLink(state) {
  clearTimeout(linkTimer);
  if (state === "expired") return sayLink(words.expired, state);
  if (state === "broken") {
    typing.clear();
    // A break too short to notice is not worth a word.
    linkTimer = setTimeout(() => sayLink(words.reconnecting, state), QUIET_MS);
  } else if (link.textContent !== "") {
    sayLink(words.reconnected, state);
    linkTimer = setTimeout(() => sayLink("", state), RECONNECTED_MS);
  }
}

/**
 * @param {string} sentence
 * @param {string} kind
 */
function sayLink(sentence, kind) {
  link.textContent = sentence;
  link.dataset.kind = kind;
}

function setUpLargeType() {
  const button = element("large");
  const apply = (/** @type {boolean} */ on) => {
    button.setAttribute("aria-pressed", String(on));
    if (on) document.documentElement.dataset.size = "large";
    else delete document.documentElement.dataset.size;
    follow.settle();
  };
  apply(large.read());
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    large.write(on);
    apply(on);
  });
}

/** Keeps the input box above the keyboard where the browser lays the keyboard over the page. */
function followKeyboard() {
  const seen = window.visualViewport;
  seen?.addEventListener("resize", () => {
    const isCovered = window.innerHeight - seen.height > 80 && seen.scale === 1;
    document.documentElement.style.setProperty("--seen-height", isCovered ? `${seen.height}px` : "100dvh");
    if (isCovered) window.scrollTo(0, 0);
  });
}

element("agent").addEventListener("click", () => choose(words.agent_text));
quick.forEach((button) => button.addEventListener("click", () => choose(button.dataset.text ?? "")));
setUpLargeType();
followKeyboard();
feed.connect();
