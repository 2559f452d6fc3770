// A journal as a film: doors as they were, and the projector's knobs.

import { drawDoor } from "./doors.js";

const words = JSON.parse(document.getElementById("words").textContent);
const lang = document.documentElement.lang;
const by = (id) => document.getElementById(id);
const KEPT = 8; // sentences that were just told

let world = null;
let film = null;
let told = [];

async function turn(body) {
  const answer = await fetch("/api/sim/film", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  show(await answer.json());
}

function remember() {
  const last = told.at(-1);
  if (film.position === 0 || (last && last.position > film.position)) told = [];
  if (film.position > 0 && told.at(-1)?.position !== film.position)
    told.push({ position: film.position, text: `${film.at} ${film.words[lang]}` });
  told = told.slice(-KEPT);
}

function show(state) {
  film = state;
  remember();
  by("at").textContent = film.at;
  by("sentence").textContent = film.words[lang] ?? "";
  by("entry").textContent = `${film.position} / ${film.of} ${film.number}`;
  by("position").max = film.of;
  if (document.activeElement !== by("position")) by("position").value = film.position;
  by("play").textContent = film.playing ? by("play").dataset.stop : by("play").dataset.play;
  if (document.activeElement !== by("speed")) by("speed").value = String(film.speed.toFixed(1));
  by("before").replaceChildren(
    ...told.slice(0, -1).map(({ text }) => Object.assign(document.createElement("li"), { textContent: text })),
  );
  drawDoors();
}

function drawDoors() {
  if (!world || !film) return;
  for (const [letter, cabinet] of Object.entries(world.cabinets))
    for (const [no, door] of Object.entries(cabinet.doors))
      drawDoor(words, `${letter}/${no}`, door, `${letter}/${no}` === film.door);
}

by("first").onclick = () => turn({ position: 0, play: false });
by("back").onclick = () => turn({ position: Math.max(film.position - 1, 0), play: false });
by("on").onclick = () => turn({ position: film.position + 1, play: false });
by("play").onclick = () => turn({ play: !film.playing });
by("position").oninput = (event) => turn({ position: Number(event.target.value), play: false });
by("speed").onchange = (event) => turn({ speed: Number(event.target.value) });

const events = new EventSource("/api/sim/events");
events.onmessage = async (event) => {
  world = JSON.parse(event.data);
  by("gone").hidden = true;
  show(await (await fetch("/api/sim/film")).json());
};
events.onerror = () => {
  by("gone").hidden = false;
};
