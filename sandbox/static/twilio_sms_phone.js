"use strict";
const $ = (id) => document.getElementById(id);
const seen = new Set();
let number = "";

const units = (text) => text.length; // UTF-16 units, as UCS-2 counts them
const parts = (text) => (units(text) === 0 ? 0 : units(text) <= 70 ? 1 : Math.ceil(units(text) / 67));
const measured = (text) => `${units(text)} 字，${parts(text)} 条`;

function bubble(kind, text, small) {
  const box = document.createElement("div");
  box.className = kind === "note" ? "note" : `bubble ${kind}`;
  box.textContent = text;
  if (small) {
    const line = document.createElement("small");
    line.textContent = small;
    box.append(line);
  }
  $("talk").append(box);
  $("talk").scrollTop = $("talk").scrollHeight;
}

async function collect() {
  const to = $("from").value.trim();
  if (to !== number) {
    number = to;
    seen.clear();
    $("talk").replaceChildren();
  }
  const response = await fetch(`twilio/outbox?to=${encodeURIComponent(to)}`);
  if (!response.ok || to !== $("from").value.trim()) return;
  for (const message of await response.json()) {
    if (seen.has(message.sid)) continue;
    seen.add(message.sid);
    bubble("theirs", message.body, `${message.units} 字，${message.parts} 条`);
  }
}

async function send(text) {
  if (!text.trim()) return;
  await collect();
  bubble("mine", text, measured(text));
  $("go").disabled = true;
  try {
    const response = await fetch("twilio/sandbox/text", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ from: $("from").value.trim(), text }),
    });
    const told = await response.json();
    $("raw").textContent = response.ok ? `HTTP ${told.status}\n${told.twiml}` : told.detail;
    if (!response.ok || told.status >= 400) bubble("note", "没有送到：网关没有正常回应。");
  } catch {
    bubble("note", "没有送到：模拟器没有回应。");
  } finally {
    $("go").disabled = false;
  }
  await collect();
}

$("text").addEventListener("input", () => { $("counter").textContent = measured($("text").value); });
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("send").requestSubmit();
  }
});
$("send").addEventListener("submit", (event) => {
  event.preventDefault();
  if ($("go").disabled) return;
  const text = $("text").value;
  $("text").value = "";
  $("counter").textContent = measured("");
  send(text);
});
$("samples").addEventListener("click", (event) => {
  if (event.target.tagName === "BUTTON" && !$("go").disabled) send(event.target.textContent);
});
setInterval(() => collect().catch(() => {}), 2000);
collect().catch(() => {});
