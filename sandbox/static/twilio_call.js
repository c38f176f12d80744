"use strict";
const $ = (id) => document.getElementById(id);
const STATES = { none: "未接通", listening: "正在听您说", speaking: "请稍候", ended: "通话结束" };
let call = "";
let state = "none";
let shown = 0;

function line(kind, text, small) {
  const box = document.createElement("div");
  box.className = kind === "note" ? "note" : `bubble ${kind}`;
  box.textContent = text;
  if (small) {
    const extra = document.createElement("small");
    extra.textContent = small;
    box.append(extra);
  }
  $("talk").append(box);
  $("talk").scrollTop = $("talk").scrollHeight;
}

function set(next) {
  const before = state;
  state = next;
  $("state").textContent = STATES[next];
  const up = next === "listening" || next === "speaking";
  for (const id of ["words", "go", "quiet", "enter"]) $(id).disabled = next !== "listening";
  $("hang").disabled = !up;
  $("dial").disabled = up;
  for (const key of $("keys").children) key.disabled = !up;
  if (next === "listening" && before !== next) $("words").focus();
}

function hear(told) {
  for (const item of told.heard.slice(shown)) {
    if (item.kind === "say") line("theirs", item.text);
    else if (item.kind === "dial") line("note", `正在转接 ${item.text}`);
    else line("note", `线路出错：${item.text}`);
  }
  shown = Math.max(shown, told.heard.length);
  if (told.twiml) $("raw").textContent = told.twiml;
  if (told.state === "ended" && state !== "ended") line("note", "通话已结束");
  set(told.state);
}

async function post(what, body) {
  const response = await fetch(`twilio/sandbox/call/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

async function refresh(of) {
  const response = await fetch(`twilio/sandbox/call/${of}`);
  if (response.ok && of === call) hear(await response.json());
}

// What is said is shown while it happens: the request that plays it may last as long as the caller waits.
async function during(what, body) {
  const of = call;
  set("speaking");
  const timer = setInterval(() => refresh(of).catch(() => {}), 700);
  try {
    await post(what, { call_sid: of, ...body });
  } catch {
    line("note", "没有接通：模拟器没有回应。");
    if (what === "start") { call = ""; set("none"); }
  } finally {
    clearInterval(timer);
  }
  if (of === call) await refresh(of).catch(() => set("none"));
}

// Keys without a finishing one are an entry when none follows for a while: heard without anything being done.
setInterval(() => { if (state === "listening") refresh(call).catch(() => {}); }, 1000);

function press(digits) {
  line("mine", digits, "按键");
  if (state === "listening") during("press", { digits });
  else post("press", { call_sid: call, digits }).catch(() => line("note", "这时不能按键"));
}

for (const key of "123456789*0#") {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = key;
  button.disabled = true;
  button.addEventListener("click", () => press(key));
  $("keys").append(button);
}
$("dial").addEventListener("click", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  call = "CA" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  shown = 0;
  $("talk").replaceChildren();
  line("note", "正在拨打 12329");
  during("start", { from: $("from").value.trim() });
});
$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("words").value.trim();
  if (!text || state !== "listening") return;
  $("words").value = "";
  line("mine", text);
  during("say", { text, confidence: Number($("confidence").value) });
});
$("quiet").addEventListener("click", () => { line("note", "（沉默）"); during("silence", {}); });
$("enter").addEventListener("click", () => {
  const digits = $("digits").value.replace(/[^0-9*#]/g, "");
  if (digits) press(digits);
  $("digits").value = "";
});
$("hang").addEventListener("click", async () => {
  await post("hangup", { call_sid: call }).catch(() => {});
  await refresh(call).catch(() => set("none"));
});
set("none");
