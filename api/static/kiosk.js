// The kiosk's page: shows what the site says, sends what a finger does, and lets nobody out.
"use strict";

const place = document.getElementById("screen");
const lost = document.getElementById("lost");
const BURST_MS = 25; // nobody types that fast; a scanner wired as a keyboard does

let typed = "";
let fetching = false;
let stale = false;
let counting = 0;
const wishes = { large: false, sound: false };

// --- showing -----------------------------------------------------------------

async function refresh() {
  stale = true;
  if (fetching) return;
  fetching = true;
  try {
    while (stale) {
      stale = false;
      const answer = await fetch("/kiosk/screen" + location.search, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      show(await answer.text());
    }
    lost.hidden = true;
  } catch {
    lost.hidden = false;
    setTimeout(refresh, 2000);
  } finally {
    fetching = false;
  }
}

function show(html) {
  const before = place.firstElementChild;
  const held = document.activeElement?.closest?.("[data-press], [data-digit], [data-toggle]");
  const sheet = place.querySelector("dialog[open]");
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".screen");
  const other = before.dataset.screen !== fresh.dataset.screen;
  if (!other && sheet && fresh.querySelector("dialog")) return settle(before);
  fresh.classList.toggle("arrives", other);
  place.replaceChildren(fresh);
  document.documentElement.lang = fresh.lang;
  if (other || !fresh.querySelector("#keypad")) typed = "";
  if (before.dataset.session && !fresh.dataset.session) forget();
  settle(fresh);
  if (other) {
    cue(fresh.dataset.screen);
    first(fresh)?.focus({ preventScroll: true });
  } else if (held) {
    again(fresh, held)?.focus({ preventScroll: true });
  }
}

function settle(screen) {
  for (const [name, on] of Object.entries(wishes)) {
    screen.querySelector(`[data-toggle="${name}"]`)?.setAttribute("aria-pressed", String(on));
  }
  draw();
  countDown(screen);
}

function first(screen) {
  return screen.querySelector(".action") ?? screen.querySelector("#message");
}

function again(screen, held) {
  const { press, value, digit, toggle } = held.dataset;
  if (digit) return screen.querySelector(`[data-digit="${digit}"]`);
  if (toggle) return screen.querySelector(`[data-toggle="${toggle}"]`);
  return screen.querySelector(`[data-press="${press}"]${value ? `[data-value="${value}"]` : ""}`);
}

function countDown(screen) {
  clearInterval(counting);
  let left = Number(screen.dataset.wait || 0);
  const number = screen.querySelector("[data-seconds]");
  if (!left || !number) return;
  counting = setInterval(() => {
    left = Math.max(0, left - 1);
    number.textContent = String(left);
  }, 1000);
}

function forget() {
  wishes.large = false;
  document.documentElement.classList.remove("large");
}

// --- doing ----------------------------------------------------------------------

async function press(button, value) {
  try {
    await fetch("/api/v1/kiosk/press" + location.search, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(value === undefined ? { button } : { button, value }),
    });
    refresh(); // a button that went away is answered by what is offered now
  } catch {
    lost.hidden = false;
    setTimeout(refresh, 2000);
  }
}

function draw() {
  const form = document.getElementById("keypad");
  if (!form) return;
  form.querySelectorAll(".slot").forEach((slot, at) => {
    slot.textContent = "hidden" in form.dataset && typed[at] ? "•" : typed[at] ?? "";
    slot.classList.toggle("slot--next", at === typed.length);
  });
  form.querySelector("[type=submit]").disabled = !isWhole(form);
}

function isWhole(form) {
  return typed.length >= Number(form.dataset.least ?? digits(form));
}

function digits(form) {
  return Number(form.dataset.digits);
}

function digit(key) {
  const form = document.getElementById("keypad");
  if (!form) return;
  if (key === "back") typed = typed.slice(0, -1);
  else if (typed.length < digits(form)) typed += key;
  draw();
}

function submit() {
  const form = document.getElementById("keypad");
  if (!form || !isWhole(form)) return;
  const value = typed;
  typed = "";
  draw();
  press("code", value);
}

function toggle(name) {
  wishes[name] = !wishes[name];
  if (name === "large") document.documentElement.classList.toggle("large", wishes.large);
  settle(place.firstElementChild);
  if (name === "sound" && wishes.sound) tone(660, 0);
}

place.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  const data = button.dataset;
  if (data.digit) digit(data.digit);
  else if (data.toggle) toggle(data.toggle);
  else if (data.dialog) document.getElementById(data.dialog)?.showModal();
  else if ("dialogClose" in data) button.closest("dialog").close();
  else if (data.press) {
    button.closest("dialog")?.close();
    press(data.press, data.value);
  }
});

place.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

// --- sound: short, quiet, only when wished for --------------------------------------

let speaker;

function tone(hertz, after) {
  speaker ??= new AudioContext();
  const at = speaker.currentTime + after;
  const voice = new OscillatorNode(speaker, { frequency: hertz });
  const loud = new GainNode(speaker, { gain: 0 });
  loud.gain.linearRampToValueAtTime(0.2, at + 0.02);
  loud.gain.linearRampToValueAtTime(0, at + 0.18);
  voice.connect(loud).connect(speaker.destination);
  voice.start(at);
  voice.stop(at + 0.2);
}

function cue(screen) {
  if (!wishes.sound) return;
  if (["refused", "trouble", "close"].includes(screen)) {
    tone(440, 0);
    tone(330, 0.2);
  } else if (["take", "confirm", "done", "rating"].includes(screen)) {
    tone(660, 0);
    tone(880, 0.2);
  }
}

// --- nobody gets out -------------------------------------------------------------------

const MOVES = new Set([
  "Tab", "Enter", " ", "Escape", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight",
]);
let lastKeyAt = -1000;

addEventListener(
  "keydown",
  (event) => {
    const burst = event.timeStamp - lastKeyAt < BURST_MS;
    lastKeyAt = event.timeStamp;
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (plain && MOVES.has(event.key) && !burst) return;
    event.preventDefault();
    event.stopPropagation();
    if (!plain || burst || event.repeat || document.querySelector("dialog[open]")) return;
    if (/^[0-9]$/.test(event.key)) digit(event.key);
    else if (event.key === "Backspace") digit("back");
  },
  { capture: true },
);

for (const name of ["contextmenu", "dragstart", "drop", "dragover", "selectstart", "copy", "cut", "paste", "gesturestart", "auxclick"]) {
  addEventListener(name, (event) => event.preventDefault(), { capture: true });
}
addEventListener("wheel", (event) => event.ctrlKey && event.preventDefault(), { passive: false });
addEventListener(
  "touchmove",
  (event) => event.touches.length > 1 && event.preventDefault(),
  { passive: false },
);

// --- begin ----------------------------------------------------------------------------------

settle(place.firstElementChild);
const events = new EventSource("/api/v1/kiosk/events" + location.search);
events.addEventListener("kiosk", refresh);
events.onerror = () => {
  lost.hidden = false;
};
events.onopen = refresh;
