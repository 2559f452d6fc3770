// Shows the world as the simulator tells it, and sends what a hand does.

import { drawDoor, inWords, looks } from "./doors.js";

const words = JSON.parse(document.getElementById("words").textContent);
const by = (id) => document.getElementById(id);
const say = (word, values = {}) =>
  Object.entries(values).reduce((text, [key, value]) => text.replace(`{${key}}`, value), words[word]);

let world = null;
let chosen = null; // the door whose card is shown although it is shut
let unfolded = null; // the door whose faults are shown

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "data") Object.assign(element.dataset, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

async function act(path, body) {
  const said = by("said");
  const answer = await fetch(`/api/sim/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const { detail } = answer.ok ? {} : await answer.json();
  said.hidden = answer.ok;
  said.textContent = answer.ok ? "" : words.impossible + detail;
  return answer.ok;
}

const doorAct = (name, what, body) => act(`doors/${name}/${what}`, body);

async function putInto(path) {
  const field = by("label");
  const label = field.value.trim();
  if (!label) {
    field.focus();
    return;
  }
  if (await act(path, { label })) field.value = "";
}

// ------------------------------------------------------------------ doors

function eachDoor(visit) {
  for (const [letter, cabinet] of Object.entries(world.cabinets))
    for (const [no, door] of Object.entries(cabinet.doors)) visit(`${letter}/${no}`, door);
}

function drawDoors() {
  eachDoor((name, door) => drawDoor(words, name, door, name === chosen));
}

function button(what, name, kind = "", press = () => doorAct(name, what)) {
  const id = `${what}-${name.replace("/", "-")}`;
  return make("button", { type: "button", className: kind, data: { testid: id }, onclick: press }, words[what]);
}

function faultsOf(name, door) {
  const fold = make("details", { open: unfolded === name });
  fold.ontoggle = () => {
    if (fold.open) unfolded = name;
    else if (unfolded === name) unfolded = null;
  };
  const row = make("div", { className: "row" });
  if (!door.open) row.append(button("force", name, "bad"));
  if (!door.jammed) row.append(button("jam", name, "bad"));
  row.append(button("stick-open", name), button("stick-closed", name));
  fold.append(make("summary", { data: { testid: `faults-${name.replace("/", "-")}` } }, words.more), row, ...wrongWith(name));
  return fold;
}

// What each trouble of a door is when it is on.
const DOOR_TROUBLES = {
  bounce: true,
  floating: 5,
  reversed: true,
  welded: true,
  dead_relay: true,
  jammed: true,
  weak: true,
  relatch: true,
  ghost_item: 1,
};

function standing(many, name) {
  return world.troubles[many][name] ?? { faults: {}, counted: {} };
}

function putTrouble(many, one, name, kind, value) {
  const { faults } = standing(many, name);
  return act("faults", { [one]: name, ...faults, [kind]: value });
}

function wrongWith(name) {
  const { faults, counted } = standing("doors", name);
  const id = name.replace("/", "-");
  const labelled = (kind, input) =>
    make("label", { className: "check" }, input, ` ${words[`door_${kind}`]}`, make("small", {}, counted[kind] ? ` ${words.strikes} ${counted[kind]}` : ""));
  const checks = Object.entries(DOOR_TROUBLES).map(([kind, on]) => {
    const input = make("input", { type: "checkbox", checked: Boolean(faults[kind]), data: { testid: `${kind}-${id}` } });
    input.onchange = () => putTrouble("doors", "door", name, kind, input.checked ? on : typeof on === "number" ? 0 : false);
    return labelled(kind, input);
  });
  const numbers = ["crosswired", "wrong_lock"].map((kind) => {
    const other = make("input", { type: "number", min: 0, value: faults[kind] ?? 0, data: { testid: `${kind}-${id}` } });
    other.onchange = () => putTrouble("doors", "door", name, kind, Number(other.value));
    return labelled(kind, other);
  });
  return [make("div", { className: "checks" }, ...checks), ...numbers];
}

function card(name, door) {
  const row = make("div", { className: "row" });
  if (!door.open && door.unlocked) row.append(button("pull", name, "go"));
  if (door.open) {
    if (door.contents.length) row.append(button("take", name, "main"));
    row.append(button("put", name, "", () => putInto(`doors/${name}/put`)));
    row.append(button("close", name, "go"));
  }
  if (door.jammed || door.burnt || door.stuck) row.append(button("free", name));
  return make(
    "div",
    { className: ["card", ...looks(door)].join(" "), data: { testid: `card-${name.replace("/", "-")}` } },
    make("p", {}, make("strong", {}, `${words.door} ${name}`), ` · ${inWords(words, door)}`),
    make("p", { className: "label" }, door.contents.join(", ") || words.empty),
    make("small", {}, say("bolt_moved", { n: door.released })),
    row,
    faultsOf(name, door),
  );
}

let shownCards = "";
function drawCards() {
  const near = [];
  eachDoor((name, door) => {
    if (door.open || door.unlocked || name === chosen) near.push([name, door]);
  });
  const state = JSON.stringify([near, chosen, near.map(([name]) => standing("doors", name))]);
  if (state === shownCards) return;
  shownCards = state;
  const focused = document.activeElement?.dataset?.testid;
  const cards = near.map(([name, door]) => card(name, door));
  by("doors").replaceChildren(...(cards.length ? cards : [make("p", {}, words.none_at_hand)]));
  if (focused && focused !== document.activeElement?.dataset?.testid)
    document.querySelector(`[data-testid="${focused}"]`)?.focus();
}

function press(name) {
  const [letter, no] = name.split("/");
  const door = world?.cabinets[letter].doors[no];
  if (!door) return;
  chosen = chosen === name && !door.unlocked ? null : name;
  if (door.unlocked && !door.open) doorAct(name, "pull");
  draw();
}

for (const drawn of document.querySelectorAll(".door")) {
  drawn.addEventListener("click", () => press(drawn.dataset.door));
  drawn.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    press(drawn.dataset.door);
  });
}

// ------------------------------------------------------------------ hands, machines, scanner

let shownHands = "";
function drawHands() {
  const state = JSON.stringify(world.hands);
  if (state === shownHands) return;
  shownHands = state;
  const rows = [...world.hands].reverse().map((held) =>
    make("li", {}, make("span", { className: "label" }, held.took), make("small", {}, say("from", { where: held.from }))),
  );
  by("hands").replaceChildren(...(rows.length ? rows : [make("li", {}, words.hands_empty)]));
  by("labels").replaceChildren(...world.hands.map((held) => make("option", { value: held.took })));
}

function drawMachines() {
  for (const section of document.querySelectorAll(".machine")) {
    const machine = world.machines[section.dataset.machine];
    const told = [words[machine.state]];
    if (machine.take_left_s) told.push(say("left", { n: machine.take_left_s }));
    if (machine.jammed) told.push(words.jam_paper);
    if (machine.out_of_service) told.push(words.out_of_service);
    section.querySelector(".state").textContent = told.join(" · ");
    const outlet = section.querySelector(".outlet");
    outlet.textContent = machine.outlet.join(", ") || `${words.outlet}: ${words.outlet_empty}`;
    outlet.classList.toggle("there", machine.outlet.length > 0);
    const counted = machine.blanks === null
      ? [`${words.stored}: ${Object.keys(machine.stored).length}`]
      : [`${words.blanks}: ${machine.blanks}`];
    section.querySelector(".count").textContent = [...counted, `${words.moved}: ${machine.moved}`].join(" · ");
    const can = {
      take: machine.state === "presenting" && machine.outlet.length > 0,
      jam: !machine.jammed,
      free: machine.jammed || machine.state === "fault",
    };
    for (const pressed of section.querySelectorAll("button[data-act]"))
      pressed.disabled = can[pressed.dataset.act] === false;
  }
}

for (const section of document.querySelectorAll(".machine"))
  for (const pressed of section.querySelectorAll("button[data-act]"))
    pressed.addEventListener("click", () => {
      const path = `machine/${section.dataset.machine}/${pressed.dataset.act}`;
      return pressed.dataset.act === "put" ? putInto(path) : act(path);
    });

for (const box of document.querySelectorAll("input[data-many]"))
  box.addEventListener("change", () => {
    const { many, one, of, kind } = box.dataset;
    const on = JSON.parse(box.dataset.on);
    putTrouble(many, one, of, kind, box.checked ? on : typeof on === "number" ? 0 : false);
  });

for (const pressed of document.querySelectorAll("button[data-unplug]"))
  pressed.addEventListener("click", () => {
    const one = pressed.dataset.unplug;
    const name = pressed.closest("[data-scanner], [data-reader]").dataset[one === "card" ? "reader" : "scanner"];
    const { faults } = standing(`${one}s`, name);
    act("faults", { [one]: name, ...faults, usb_renumber: 3 });
  });

function drawTroubles() {
  for (const box of document.querySelectorAll("input[data-many]")) {
    const { faults, counted } = standing(box.dataset.many, box.dataset.of);
    const struck = counted[box.dataset.kind];
    box.checked = Boolean(faults[box.dataset.kind]);
    box.parentElement.querySelector("[data-counted]").textContent = struck ? ` ${words.strikes} ${struck}` : "";
  }
}

// ------------------------------------------------------------------ cards, surroundings

for (const section of document.querySelectorAll(".card-reader"))
  for (const pressed of section.querySelectorAll("button[data-card]"))
    pressed.addEventListener("click", () => act(`card/${section.dataset.reader}/${pressed.dataset.card}`, {}));

function drawReaders() {
  for (const section of document.querySelectorAll(".card-reader")) {
    const { card } = world.cards[section.dataset.reader];
    section.querySelector(".state").textContent = card === "away" ? words.no_card : words[card];
    section.querySelector('[data-card="take"]').disabled = card === "away";
  }
}

const surroundings = by("environment");
surroundings?.querySelector("button").addEventListener("click", () => act("environment", { vibration: true }));
for (const box of surroundings?.querySelectorAll("input") ?? [])
  box.addEventListener("change", () => act("environment", { [box.name]: box.checked }));

function drawSurroundings() {
  if (!surroundings) return;
  const now = world.environment;
  const told = [say("air", { t: now.temperature, h: now.humidity })];
  for (const lamp of ["light", "fan", "sounder"]) if (now[lamp]) told.push(words[lamp]);
  surroundings.querySelector(".state").textContent = told.join(" · ");
  for (const box of surroundings.querySelectorAll("input")) box.checked = now[box.name];
}

for (const form of document.querySelectorAll("form.scan")) {
  const text = form.querySelector("input");
  const path = `scanner/${form.dataset.scanner}/scan`;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(path, { text: text.value.trim() });
  });
  form.querySelector("[data-away]").addEventListener("click", () => {
    text.value = "";
    act(path, { text: "" });
  });
}

// ------------------------------------------------------------------ trouble, people, counters

const faults = by("faults");

const numbers = [...faults.querySelectorAll('input[type="number"]')];
const shares = numbers.filter((field) => !("whole" in field.dataset)).map((field) => field.name);
const wholes = numbers.filter((field) => "whole" in field.dataset).map((field) => field.name);
const flags = [...faults.querySelectorAll("label > input[type=checkbox]")].map((field) => field.name);

function boxes(line) {
  return [...faults.querySelectorAll(`[data-units="${line}"] input`)];
}

function showLine() {
  const line = faults.line.value;
  for (const units of faults.querySelectorAll("[data-units]")) units.hidden = units.dataset.units !== line;
  const trouble = world.lines[line].faults;
  for (const kind of shares) faults[kind].value = Math.round(trouble[kind] * 100);
  for (const kind of wholes) faults[kind].value = trouble[kind];
  for (const kind of flags) faults[kind].checked = trouble[kind];
  const never = faults.line.selectedOptions[0].dataset.never.split(" ");
  for (const label of faults.querySelectorAll("[data-fault]")) label.hidden = never.includes(label.dataset.fault);
  by("line-unplug").hidden = never.includes("usb_renumber");
  for (const box of boxes(line)) box.checked = trouble[box.name].includes(Number(box.value));
}

faults.line.addEventListener("change", showLine);
faults.addEventListener("submit", (event) => {
  event.preventDefault();
  const line = faults.line.value;
  const asked = { line };
  for (const kind of shares) asked[kind] = Number(faults[kind].value) / 100;
  for (const kind of wholes) asked[kind] = Number(faults[kind].value);
  for (const kind of flags) asked[kind] = faults[kind].checked;
  for (const box of boxes(line)) {
    asked[box.name] ??= [];
    if (box.checked) asked[box.name].push(Number(box.value));
  }
  act("faults", asked);
});
by("faults-end").addEventListener("click", async () => {
  await act("faults", { line: faults.line.value });
  faults.reset();
  showLine();
});
by("line-unplug").addEventListener("click", () => {
  const line = faults.line.value;
  act("faults", { line, ...world.lines[line].faults, usb_renumber: 3 });
});
by("line-restart").addEventListener("click", () => act(`lines/${faults.line.value}/restart`, {}));

by("people").addEventListener("change", (event) => act("people", { auto: event.target.checked }));
by("speed").addEventListener("change", (event) => act("speed", { speed: Number(event.target.value) }));

function drawCounters() {
  const always = ["requests", "replies", "lost", "garbled", "too_soon"];
  const struck = (name) => Object.values(world.lines).some((counted) => counted[name] > 0);
  const columns = [...always, ...Object.keys(world.lines[faults.line.value] ?? {}).filter((name) => !always.includes(name) && struck(name))];
  const head = make("tr", {}, make("th", {}, words.line), ...columns.map((name) => make("th", {}, words[name] ?? name)));
  const rows = Object.entries(world.lines).map(([line, counted]) =>
    make("tr", {}, make("th", {}, line), ...columns.map((name) => make("td", {}, String(counted[name])))),
  );
  by("lines").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
}

function draw() {
  drawDoors();
  drawCards();
  drawHands();
  drawMachines();
  drawTroubles();
  drawReaders();
  drawSurroundings();
  drawCounters();
  by("people").checked = world.people.auto;
  const speed = by("speed");
  if (![...speed.options].some((option) => Number(option.value) === world.speed))
    speed.append(make("option", { value: String(world.speed) }, `× ${world.speed}`));
  if (document.activeElement !== speed) speed.value = String(world.speed);
}

// ------------------------------------------------------------------ live

const events = new EventSource("/api/sim/events");
events.onmessage = (event) => {
  const first = world === null;
  world = JSON.parse(event.data);
  by("gone").hidden = true;
  draw();
  if (first) showLine();
};
events.onerror = () => {
  by("gone").hidden = false;
};
