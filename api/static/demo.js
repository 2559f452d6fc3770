// The demo's page: says what to do next and moves hands, phone and badge with a mouse.
"use strict";

const known = JSON.parse(document.getElementById("known").textContent);
const words = document.getElementById("words").dataset;
const states = JSON.parse(words.states);
const by = (id) => document.getElementById(id);
// Frames are drawn at the size that their pages are made for, then made smaller as a whole.
const DRAWN = { kiosk: { width: 480, height: 900 }, phone: { width: 375, height: 600 } };
const SETTLED_MS = 400; // what follows a click within that time is still the same wish

let orders = known.orders;
let world = null;
let chosen = sessionStorage.getItem("order");
let awaited = null; // an order that was placed a moment ago
let shownLink = null;

const kept = (name) => sessionStorage.getItem(`${name} ${order()?.order_no}`);
const keep = (name, value) => sessionStorage.setItem(`${name} ${order()?.order_no}`, value);

// The chosen order; until the page has heard of it, the newest that is not yet collected.
function order() {
  return (
    orders.find((each) => each.order_no === chosen) ??
    orders.find((each) => each.state !== "collected") ??
    orders[0] ??
    null
  );
}

function choose(number) {
  chosen = number;
  sessionStorage.setItem("order", number);
  closePhone();
  draw();
}

// --- what comes next -----------------------------------------------------------

function toLoad(one) {
  return one?.items.find((item) => item.holder === "cabinet" && item.state === "expected") ?? null;
}

function step(one) {
  if (!one) return "none";
  if (["placed", "partly_loaded"].includes(one.state)) return toLoad(one) ? "load" : "wait";
  if (one.state === "collected") return kept("code") && !kept("dead") ? "dead" : "over";
  if (one.code) return one.messages.length ? "collect" : "wait";
  return "other";
}

function acts(now, one) {
  const list = hands(toLoad(one));
  if (list.length) return list;
  const hold = (name, text, after) => ({ name, word: words[name], press: () => scan(text, after) });
  if (now === "load") {
    const label = hold("label", toLoad(one).label);
    return kept("badge") ? [label, hold("badge", known.badge)] : [badge(), label];
  }
  if (now === "collect") {
    const open = { name: "openMessage", word: words.openMessage, press: () => openPhone(one.messages[0].link) };
    const code = hold("code", one.code);
    return shownLink === one.messages[0].link || !one.messages[0].link ? [code] : [open, code];
  }
  if (now === "dead") return [hold("code", kept("code"), () => keep("dead", "1"))];
  return [];

  function badge() {
    return hold("badge", known.badge, () => keep("badge", "1"));
  }
}

function hands(item) {
  const list = [];
  const add = (word, path, body, where) =>
    list.push({ name: word, word: words[word].replace("{door}", sign(where)), press: () => act(path, body) });
  for (const [letter, cabinet] of Object.entries(world?.cabinets ?? {}))
    for (const [no, door] of Object.entries(cabinet.doors)) {
      const where = `${letter}/${no}`;
      if (door.open && door.contents.length && !item) add("take", `doors/${where}/take`, undefined, where);
      if (door.open && !door.contents.length && item) add("put", `doors/${where}/put`, { label: item.label }, where);
      if (door.open && !door.unlocked) add("close", `doors/${where}/close`, undefined, where);
      else if (!door.open && door.unlocked) add("pull", `doors/${where}/pull`, undefined, where);
    }
  for (const [name, machine] of Object.entries(world?.machines ?? {}))
    if (machine.outlet.length) add("outlet", `machine/${name}/take`, undefined, "");
  return list;
}

const sign = (where) => where.replace(/\/(\d+)$/, (_, no) => no.padStart(2, "0"));

// --- hands ------------------------------------------------------------------------

// Two ways lead here, and the slower one may bring what was true before.
function see(told) {
  if (told.changes < (world?.changes ?? 0)) return;
  world = told;
  draw();
}

async function act(path, body) {
  const said = by("said");
  try {
    const answer = await fetch(`${known.simulator}/api/sim/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    said.hidden = answer.ok;
    if (answer.ok) see(await (await fetch(`${known.simulator}/api/sim`)).json());
    else said.textContent = (await answer.json()).detail;
    return answer.ok;
  } catch {
    said.textContent = words.gone;
    said.hidden = false;
    return false;
  }
}

async function once(button, press) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  try {
    await press();
  } finally {
    setTimeout(() => (button.ariaBusy = "false"), SETTLED_MS);
  }
}

async function scan(text, after) {
  const scanner = world?.scanners[0] ?? "S1";
  if ((await act(`scanner/${scanner}/scan`, { text })) && after) after();
  draw();
}

by("place").addEventListener("click", async () => {
  const answer = await fetch("/demo/orders", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  if (answer.ok) {
    awaited = (await answer.json()).order_no;
    choose(awaited);
  } else {
    by("said").textContent = words.notPlaced;
    by("said").hidden = false;
  }
});

by("order").addEventListener("change", (event) => choose(event.target.value));

// --- phone ----------------------------------------------------------------------------

function openPhone(link) {
  if (!link) return;
  shownLink = link;
  by("pickup").src = link;
  by("pickup").hidden = false;
  by("messages").hidden = true;
  by("back").hidden = false;
  by("phone-name").hidden = true;
  draw();
}

function closePhone() {
  shownLink = null;
  by("pickup").hidden = true;
  by("pickup").removeAttribute("src");
  by("messages").hidden = false;
  by("back").hidden = true;
  by("phone-name").hidden = false;
}

by("back").addEventListener("click", () => {
  closePhone();
  draw();
});

function message(one) {
  const bubble = document.createElement("button");
  bubble.type = "button";
  bubble.className = "message";
  const at = document.createElement("time");
  at.dateTime = one.at;
  at.textContent = new Date(one.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (!one.link) {
    bubble.append(at, one.text);
    return bubble;
  }
  const [before, after] = one.text.split(one.url);
  const link = document.createElement("span");
  link.className = "link";
  link.textContent = `${new URL(one.url).host}${one.link.slice(0, 7)}…`;
  bubble.append(at, before, link, after ?? "");
  bubble.addEventListener("click", () => openPhone(one.link));
  return bubble;
}

// --- drawing -----------------------------------------------------------------------------

const drawn = {};

function changed(name, value) {
  const text = JSON.stringify(value);
  if (drawn[name] === text) return false;
  drawn[name] = text;
  return true;
}

function drawOrders(shown) {
  if (!changed("orders", [orders, shown])) return;
  const options = orders.map((one) => new Option(`${one.company} · ${states[one.state]} · ${one.order_no}`, one.order_no));
  by("order").replaceChildren(...options);
  by("order").value = shown ?? "";
}

function drawMessages(one) {
  if (!changed("messages", one?.messages)) return;
  const bubbles = (one?.messages ?? []).map(message);
  const none = document.createElement("p");
  none.className = "no-messages";
  none.textContent = words.noMessages;
  by("messages").replaceChildren(...(bubbles.length ? bubbles : [none]));
}

function drawActs(now, one) {
  const list = acts(now, one);
  if (!changed("acts", [one?.order_no, now, list.map(({ name, word }) => [name, word])])) return;
  const focused = document.activeElement?.dataset?.act;
  const buttons = list.map(({ name, word, press }, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = at ? "button button--quiet" : "button";
    button.dataset.act = name;
    button.textContent = word;
    button.addEventListener("click", () => once(button, press));
    return button;
  });
  by("acts").replaceChildren(...buttons);
  if (focused) (buttons.find((each) => each.dataset.act === focused) ?? buttons[0])?.focus();
}

function draw() {
  const one = order();
  if (one && (chosen === null || chosen !== awaited)) chosen = one.order_no;
  if (one?.code) keep("code", one.code);
  const now = step(one);
  for (const say of document.querySelectorAll("[data-when]")) say.hidden = say.dataset.when !== now;
  const steps = [...document.querySelectorAll("[data-step]")];
  const at = now === "over" ? steps.length : steps.findIndex((each) => each.dataset.step === now);
  steps.forEach((each, index) => {
    each.className = index < at ? "past" : index === at ? "now" : "";
    if (index === at) each.setAttribute("aria-current", "step");
    else each.removeAttribute("aria-current");
  });
  drawOrders(one?.order_no);
  by("number").textContent = one?.phone ?? "";
  drawMessages(one);
  drawActs(now, one);
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const { width, height } = DRAWN[target.dataset.drawn];
    const scale = Math.min(1, target.clientWidth / width, target.clientHeight / height);
    target.style.setProperty("--scale", String(scale));
  }
});
for (const frame of document.querySelectorAll("[data-drawn]")) sizes.observe(frame);

new EventSource("/demo/events").addEventListener("orders", (event) => {
  orders = JSON.parse(event.data);
  draw();
});

const physical = new EventSource(`${known.simulator}/api/sim/events`);
physical.addEventListener("message", (event) => see(JSON.parse(event.data)));
physical.addEventListener("open", () => {
  if (world) world.changes = 0; // it may have been started anew
});

draw();
