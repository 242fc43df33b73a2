// What all pages share: the key, requests, a WebSocket that comes back by itself, and how times are written.

const KEY = "tandem.key";

/** The API key of this browser tab; gone when the tab is closed. */
export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (secret) => sessionStorage.setItem(KEY, secret),
  forget: () => sessionStorage.removeItem(KEY),
};

/** A request that the server has refused, in its words. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The JSON of the answer; null without a body. Throws Refused, or TypeError where the server cannot be reached. */
export async function ask(method, path, body) {
  const headers = { Authorization: `Bearer ${key.get()}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) {
    let detail = `the server answered ${answer.status}`;
    try {
      detail = JSON.parse(text).detail ?? detail;
    } catch {
      // no problem document: the status has to do
    }
    throw new Refused(answer.status, detail);
  }
  return text ? JSON.parse(text) : null;
}

const SILENT = 8000; // ms without a message after which a line counts as dead
const PAUSES = [250, 500, 1000, 2000, 5000]; // ms before another attempt

/** Messages of a WebSocket for as long as the page lives. `onLine(true|false)` tells whether they come. */
export function follow(path, protocol, onMessage, onLine) {
  let socket = null;
  let attempts = 0;
  let watchdog = 0;
  let over = false;

  function open() {
    const url = new URL(path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const mine = (socket = new WebSocket(url, [protocol, `bearer.${key.get()}`]));
    mine.onmessage = (event) => {
      attempts = 0;
      alive(mine);
      onLine(true);
      onMessage(JSON.parse(event.data));
    };
    mine.onclose = () => {
      if (over || mine !== socket) return;
      clearTimeout(watchdog);
      onLine(false);
      setTimeout(() => over || open(), PAUSES[Math.min(attempts++, PAUSES.length - 1)]);
    };
    alive(mine);
  }

  function alive(mine) {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => mine.close(), SILENT);
  }

  open();
  return () => {
    over = true;
    clearTimeout(watchdog);
    socket.close();
  };
}

/** Seconds as m:ss, or h:mm:ss. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** An element with attributes and content; texts are texts, never markup. */
export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(attribute, value);
  }
  made.append(...content);
  return made;
}

/** Writes a text where it differs, so that a reader of the screen is not disturbed for nothing. */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export const STATES = {
  "logged-out": "Logged out",
  available: "Available",
  reserved: "Reserved",
  ringing: "Ringing",
  talking: "Talking",
  "wrap-up": "Wrap-up",
  paused: "Paused",
  unreachable: "Unreachable",
};

/** Shows an agent's state in an element of the class `state`. */
export function showState(target, state) {
  target.dataset.state = state;
  write(target, STATES[state] ?? state);
}
