"use strict";
const $ = (id) => document.getElementById(id);
const STATES = {
  none: "未接通", listening: "正在听您说", speaking: "请稍候", relay: "正在听您说",
  ringing: "正在振铃", agent: "正在与坐席通话", ended: "通话结束",
};
const UP = ["listening", "speaking", "relay", "ringing", "agent"];
const MISSED = { busy: "坐席忙线", "no-answer": "坐席无人接听" };
const NOTES = {
  dial: (text) => `正在转接 ${text.split("?")[0]}`,
  missed: (text) => MISSED[text] || "坐席没有接听",
  joined: () => "坐席已接听，双方通话中",
  parted: () => "与坐席的通话结束",
  enqueue: () => "转入人工队列",
  play: () => "♪ 等待音乐",
};
const TYPING_MS = 250;
let call = "";
let state = "none";
let heard = [];
let typing = 0;

function bubble(kind, text, small) {
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
  return box;
}

function set(next, speaks) {
  const before = state;
  state = next;
  $("state").textContent = next === "relay" && speaks ? "正在说，可以打断" : STATES[next];
  const up = UP.includes(next);
  const takes = next === "listening" || next === "relay";
  for (const id of ["words", "go", "enter"]) $(id).disabled = !takes;
  $("quiet").disabled = next !== "listening";
  $("drop").disabled = next !== "relay";
  $("hang").disabled = !up;
  $("dial").disabled = up;
  for (const key of $("keys").children) key.disabled = !up || next === "ringing" || next === "agent";
  $("mode").hidden = !up;
  if (next === "relay") $("mode").textContent = "实时通话";
  else if (next === "listening") $("mode").textContent = "一问一答";
  $("agent").hidden = next !== "ringing" && next !== "agent";
  $("agent_state").textContent = next === "agent" ? "正在与来电人通话。" : "电话响了，请选择。";
  for (const button of $("agent").querySelectorAll("button")) button.hidden = button.dataset.when !== next;
  if (takes && before !== next && before !== "relay") $("words").focus();
}

function recording(status) {
  $("recording").hidden = !status || status === "stopped" || state === "ended";
  $("recording").textContent = status === "paused" ? "录音已暂停" : "录音中";
  $("recording").className = status === "paused" ? "" : "on";
}

function made(item) {
  if (item.kind === "say") return bubble("theirs", "");
  if (item.kind === "whisper") return bubble("whisper", item.text, "只有坐席听到");
  const note = NOTES[item.kind];
  return bubble("note", note ? note(item.text) : `线路出错：${item.text}`);
}

// A bubble of what is being said grows until it is said or cut off.
function fill(box, item) {
  const key = `${item.text}|${item.rest || ""}|${item.on}`;
  if (item.kind !== "say" || box.dataset.key === key) return;
  box.dataset.key = key;
  box.textContent = item.text;
  box.classList.toggle("on", Boolean(item.on));
  if (item.rest) {
    const rest = document.createElement("del");
    rest.textContent = item.rest;
    rest.title = "没听到的部分";
    box.append(rest);
  }
  $("talk").scrollTop = $("talk").scrollHeight;
}

function hear(told) {
  told.heard.forEach((item, number) => {
    if (number >= heard.length) heard.push(made(item));
    fill(heard[number], item);
  });
  if (told.twiml) $("raw").textContent = told.twiml;
  if (told.state === "ended" && state !== "ended") bubble("note", "通话已结束");
  set(told.state, told.speaks);
  recording(told.recording);
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
  try {
    await post(what, { call_sid: of, ...body });
  } catch {
    bubble("note", "没有接通：模拟器没有回应。");
    if (what === "start") { call = ""; set("none"); }
  }
  if (of === call) await refresh(of).catch(() => set("none"));
}

// In a call that is one conversation nothing waits for anything: what is done is sent, what happens is looked at.
function now(what, body) {
  const of = call;
  return post(what, { call_sid: of, ...body }).then(() => refresh(of)).catch(() => bubble("note", "这时不能这样做"));
}

// Keys without a finishing one are an entry when none follows for a while: heard without anything being done.
let looking = false;
async function look() {
  if (looking || !UP.includes(state)) return;
  looking = true;
  try { await refresh(call); } catch { /* the next look will tell */ } finally { looking = false; }
}
setInterval(() => { if (state !== "listening") look(); }, 250);
setInterval(() => { if (state === "listening") look(); }, 1000);

function press(digits) {
  bubble("mine", digits, "按键");
  if (state === "relay") now("press", { digits });
  else if (state === "listening") during("press", { digits });
  else post("press", { call_sid: call, digits }).catch(() => bubble("note", "这时不能按键"));
}

function type() {
  if (state !== "relay") return;
  clearTimeout(typing);
  typing = setTimeout(() => {
    const text = $("words").value.trim();
    if (text && state === "relay") now("types", { text });
  }, TYPING_MS);
}

for (const key of "123456789*0#") {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = key;
  button.disabled = true;
  button.addEventListener("click", () => press(key));
  $("keys").append(button);
}
for (const button of $("agent").querySelectorAll("button")) {
  button.addEventListener("click", () => now("agent", { does: button.dataset.does }));
}
$("dial").addEventListener("click", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  call = "CA" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  heard = [];
  $("talk").replaceChildren();
  bubble("note", "正在拨打 12329");
  during("start", { from: $("from").value.trim() });
});
$("words").addEventListener("input", type);
$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("words").value.trim();
  if (!text || (state !== "listening" && state !== "relay")) return;
  clearTimeout(typing);
  $("words").value = "";
  bubble("mine", text);
  if (state === "relay") now("say", { text });
  else during("say", { text, confidence: Number($("confidence").value) });
});
$("quiet").addEventListener("click", () => { bubble("note", "（沉默）"); during("silence", {}); });
$("drop").addEventListener("click", () => { bubble("note", "（线路中断）"); now("drop", {}); });
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
