// How a door is drawn, whoever looks at it.

export function looks(door) {
  const seen = [];
  if (door.open) seen.push("open");
  else if (door.unlocked) seen.push("released");
  if (door.contents.length) seen.push("full");
  if (door.jammed || door.burnt || door.stuck) seen.push("jammed");
  if (door.broken_open) seen.push("forced");
  return seen;
}

export function inWords(words, door) {
  const told = [door.open ? words.open : door.unlocked ? words.released : words.locked];
  for (const trouble of ["jammed", "burnt", "stuck"]) if (door[trouble]) told.push(words[trouble]);
  if (door.broken_open) told.push(words.forced);
  return told.join(" · ");
}

export function drawDoor(words, name, door, chosen) {
  const drawn = document.getElementById(`door-${name.replace("/", "-")}`);
  const classes = ["door", ...looks(door), ...(chosen ? ["chosen"] : [])].join(" ");
  if (drawn.getAttribute("class") !== classes) drawn.setAttribute("class", classes);
  const told = `${name}: ${inWords(words, door)}, ${door.contents.join(", ") || words.empty}`;
  if (drawn.getAttribute("aria-label") !== told) {
    drawn.setAttribute("aria-label", told);
    drawn.querySelector("title").textContent = told;
    drawn.querySelector(".sign").textContent = door.unlocked && !door.open ? words.pull : "";
  }
}
