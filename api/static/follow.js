// Keeps a page true while it is looked at. The element with `data-live` names an event stream; each
// event means that something changed, and then the page is fetched again and its parts exchanged.
// A part is an element with an id and `data-part`; what did not change is not touched.

const SETTLE_MS = 200; // changes come in bursts; one fetch serves them all
const AGAIN_MS = 60_000; // also without an event: "3 minutes ago" grows old by itself

const source = document.querySelector("[data-live]");

let timer = 0;
let running = false;
let wanted = false;

function soon() {
  wanted = true;
  if (!timer && !running) {
    timer = setTimeout(exchange, SETTLE_MS);
  }
}

async function exchange() {
  timer = 0;
  wanted = false;
  running = true;
  try {
    const answer = await fetch(location.href, { headers: { "x-follow": "1" }, cache: "no-store" });
    if (answer.redirected || answer.status === 404) {
      location.reload();
      return;
    }
    if (answer.ok) {
      put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  } catch {
    // Offline for a moment: the next event or the next minute tries again.
  } finally {
    running = false;
    if (wanted) {
      soon();
    }
  }
}

function put(fresh) {
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.getElementById(part.id);
    if (other) {
      change(part, other);
    }
  }
}

// Make `old` like `fresh` and leave alone what is so already: a reader keeps the place, the focus and
// what has been unfolded. Children with an id are found again by it.
function change(old, fresh) {
  if (old.isEqualNode(fresh)) {
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh);
    return;
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
    }
  }
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) {
      old.removeAttribute(name);
    }
  }
  changeChildren(old, fresh);
}

function changeChildren(old, fresh) {
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const kept = child.id ? named.get(child.id) : undefined;
    if (kept && kept !== at) {
      old.insertBefore(kept, at);
      change(kept, child);
    } else if (at && (kept || (!child.id && !at.id && at.nodeName === child.nodeName))) {
      const next = at.nextSibling;
      change(at, child);
      at = next;
    } else {
      old.insertBefore(child, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function listen() {
  const events = new EventSource(source.dataset.live);
  const lamp = document.getElementById("follow");
  events.addEventListener("message", soon);
  events.addEventListener("open", () => lamp?.removeAttribute("data-lost"));
  events.addEventListener("error", () => {
    lamp?.setAttribute("data-lost", "");
    if (events.readyState === EventSource.CLOSED) {
      soon(); // perhaps the session is over: the fetch will tell
      setTimeout(listen, AGAIN_MS / 4);
    }
  });
}

if (source) {
  listen();
  setInterval(() => document.visibilityState === "visible" && soon(), AGAIN_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && soon());
}
