// The phone: one chat at a time, live over server-sent events. Message text is never parsed as HTML.

const $ = (id) => document.getElementById(id);
const SEPARATE_AFTER_S = 300;
const LINK = /<a\s+href\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>([\s\S]*?)<\/a>/gi;
const time = new Intl.DateTimeFormat("zh-CN", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Shanghai" });

let account;
let citizen;
let source;
let lastSeq = 0;
let lastAt = 0;
let typingTimer;

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

async function post(action, fields = {}) {
  const response = await fetch(`/phone/${action}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ openid: citizen.openid, ...fields }),
  });
  if (!response.ok) showLink(`没有发出去（${response.status}）`);
}

// ---- text with links -------------------------------------------------------------------------

function menuLink(address, label) {
  const query = address.slice(address.indexOf("?") + 1);
  const fields = Object.fromEntries(query.split("&").map((pair) => pair.split(/=(.*)/s)));
  const link = element("a", "", label);
  link.href = "#";
  link.setAttribute("role", "button");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    post("say", { text: decoded(fields.msgmenucontent ?? ""), menu_id: fields.msgmenuid ?? "0" });
  });
  return link;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function anchor(address, label, raw) {
  if (address.startsWith("weixin://bizmsgmenu?")) return menuLink(address, label);
  if (!/^https?:\/\//i.test(address)) return document.createTextNode(raw);
  const link = element("a", "", label);
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  for (const opening of ["click", "auxclick"]) link.addEventListener(opening, showWhoOpens);
  return link;
}

/** The authorisation page of this sandbox learns whose phone the link was opened on. */
function showWhoOpens() {
  document.cookie = `sandbox_openid=${encodeURIComponent(citizen.openid)}; path=/connect; samesite=lax`;
}

function withLinks(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(LINK)) {
    nodes.push(text.slice(end, found.index), anchor(found[1] ?? found[2], found[3], found[0]));
    end = found.index + found[0].length;
  }
  return [...nodes, text.slice(end)];
}

// ---- lines -----------------------------------------------------------------------------------

function avatar(author) {
  if (author === "citizen") {
    const face = element("span", `avatar hue${account.citizens.indexOf(citizen) % 4}`, citizen.name[0]);
    face.setAttribute("aria-hidden", "true");
    return face;
  }
  const image = element("img", "avatar");
  image.src = "/phone/static/phone_account.svg";
  image.alt = "";
  return image;
}

function voiceBubble(line) {
  const seconds = Math.max(2, Math.ceil(line.text.length / 4));
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M6 10.500a2 2 0 0 1 0 3M10 8a6 6 0 0 1 0 8M14 5.500a9.5 9.5 0 0 1 0 13");
  icon.append(path);
  const bubble = element("div", "bubble voice", element("span", "wave", icon, `${seconds}″`));
  if (line.text) bubble.append(element("small", "", line.text));
  return bubble;
}

function bubbleOf(line) {
  if (line.kind === "voice") return voiceBubble(line);
  if (line.kind !== "picture") return element("div", "bubble", ...withLinks(line.text));
  const picture = element("div", "bubble picture");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", line.text);
  return picture;
}

function addLine(line) {
  if (line.seq <= lastSeq) return;
  lastSeq = line.seq;
  if (line.at - lastAt > SEPARATE_AFTER_S) $("log").append(element("li", "time", time.format(line.at * 1000)));
  lastAt = line.at;
  if (line.author === "system") {
    $("log").append(element("li", "note", line.text));
  } else {
    const own = line.author === "citizen";
    const said = element("span", "sr", own ? "我说：" : `${account.name}说：`);
    const item = element("li", own ? "own" : "", avatar(line.author), said, bubbleOf(line));
    item.dataset.author = line.author;
    $("log").append(item);
  }
  if (line.author === "account") {
    showTyping(false);
    $("fact-via").textContent = line.via === "passive" ? "即时回复" : "主动推送";
  }
  scrollDown();
}

function scrollDown() {
  const chat = $("chat");
  chat.scrollTop = chat.scrollHeight;
}

function showTyping(on, seconds = 15) {
  clearTimeout(typingTimer);
  $("typing").hidden = !on;
  $("title").textContent = on ? "对方正在输入…" : account.title;
  if (on) {
    typingTimer = setTimeout(() => showTyping(false), seconds * 1000);
    scrollDown();
  }
}

function showState(state) {
  for (const [id, shown] of [["chat", state.follows], ["bar", state.follows], ["more", state.follows], ["profile", !state.follows]]) {
    $(id).hidden = !shown;
  }
  $("fact-follows").textContent = state.follows ? "已关注" : "未关注";
  $("fact-pushes").textContent = `${state.pushes_left} 条`;
  scrollDown();
}

function showLink(text) {
  $("link-state").textContent = text;
}

// ---- who holds the phone ---------------------------------------------------------------------

function connect() {
  source?.close();
  source = new EventSource(`/phone/events?openid=${encodeURIComponent(citizen.openid)}`);
  source.addEventListener("open", () => showLink(""));
  source.addEventListener("error", () => showLink("正在重新连接…"));
  source.addEventListener("line", (event) => addLine(JSON.parse(event.data)));
  source.addEventListener("state", (event) => showState(JSON.parse(event.data)));
  source.addEventListener("restart", () => pickUp(citizen));
  source.addEventListener("typing", (event) => {
    const { on, seconds } = JSON.parse(event.data);
    showTyping(on, seconds);
  });
}

function pickUp(chosen) {
  citizen = chosen;
  lastSeq = 0;
  lastAt = 0;
  $("log").replaceChildren();
  $("fact-via").textContent = "—";
  showTyping(false);
  history.replaceState(null, "", `?as=${encodeURIComponent(citizen.openid)}`);
  for (const button of $("citizens").children) {
    button.setAttribute("aria-current", String(button.dataset.openid === citizen.openid));
  }
  connect();
}

function buildCitizens() {
  account.citizens.forEach((one, index) => {
    const face = element("span", `avatar hue${index % 4}`, one.name[0]);
    face.setAttribute("aria-hidden", "true");
    const words = element("span", "", element("strong", "", one.name), element("small", "", one.note));
    const button = element("button", "", face, words);
    button.type = "button";
    button.dataset.openid = one.openid;
    button.addEventListener("click", () => pickUp(one));
    $("citizens").append(button);
  });
}

// ---- the account's menu ----------------------------------------------------------------------

function closeMenus(except) {
  for (const key of $("menu").children) {
    if (key === except) continue;
    key.lastElementChild.hidden = true;
    key.firstElementChild.setAttribute("aria-expanded", "false");
  }
}

function buildKey({ label, entries }) {
  const button = element("button", "", label);
  button.type = "button";
  button.setAttribute("role", "menuitem");
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  const sub = element("div", "sub", ...entries.map((entry) => buildEntry(entry)));
  sub.hidden = true;
  sub.setAttribute("role", "menu");
  sub.setAttribute("aria-label", label);
  const key = element("div", "", button, sub);
  key.setAttribute("role", "none");
  button.addEventListener("click", () => {
    closeMenus(key);
    sub.hidden = !sub.hidden;
    button.setAttribute("aria-expanded", String(!sub.hidden));
  });
  return key;
}

function buildEntry({ label, says }) {
  const button = element("button", "", label);
  button.type = "button";
  button.setAttribute("role", "menuitem");
  button.addEventListener("click", () => {
    closeMenus();
    post("menu", { key: says });
  });
  return button;
}

// ---- the bar ---------------------------------------------------------------------------------

function showInput(on) {
  $("keys").hidden = on;
  $("input").hidden = !on;
  closeMenus();
  if (on) $("text").focus();
}

function fitInput() {
  const field = $("text");
  const filled = Boolean(field.value.trim());
  $("send").hidden = !filled;
  $("picture").hidden = filled;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 120)}px`;
  scrollDown();
}

function say(event) {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  fitInput();
  post("say", { text });
}

function openInPhone(dialog) {
  dialog.showModal();
  const screen = $("chat").parentElement.getBoundingClientRect();
  dialog.style.margin = "0";
  dialog.style.left = `${screen.left + (screen.width - dialog.offsetWidth) / 2}px`;
  dialog.style.top = `${screen.top + (screen.height - dialog.offsetHeight) / 2}px`;
}

function wireBar() {
  $("to-input").addEventListener("click", () => showInput(true));
  $("to-menu").addEventListener("click", () => showInput(false));
  $("input").addEventListener("submit", say);
  $("text").addEventListener("input", fitInput);
  $("text").addEventListener("keydown", (event) => {
    // Enter that ends the choice of a character is not the end of the message.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) say(event);
  });
  $("picture").addEventListener("click", () => post("picture"));
  $("voice").addEventListener("click", () => openInPhone($("speak")));
  $("speak-cancel").addEventListener("click", () => $("speak").close());
  $("speak-form").addEventListener("submit", (event) => {
    event.preventDefault();
    post("speak", { text: $("speak-text").value.trim() });
    $("speak-text").value = "";
    $("speak").close();
  });
}

function wireAccount() {
  $("follow").addEventListener("click", () => post("follow"));
  $("more").addEventListener("click", () => openInPhone($("settings")));
  $("unfollow").addEventListener("click", () => {
    $("settings").close();
    post("unfollow");
  });
  document.addEventListener("click", (event) => {
    if (!$("menu").contains(event.target)) closeMenus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus();
  });
}

function tick() {
  $("clock").textContent = time.format(new Date());
}

async function start() {
  account = await (await fetch("/phone/account")).json();
  $("title").textContent = account.title;
  $("profile-name").textContent = account.name;
  $("profile-about").textContent = account.about;
  $("menu").append(...account.menu.map(buildKey));
  buildCitizens();
  wireBar();
  wireAccount();
  tick();
  setInterval(tick, 10_000);
  const wanted = new URLSearchParams(location.search).get("as");
  pickUp(account.citizens.find((one) => one.openid === wanted) ?? account.citizens[0]);
}

start();
