// An agent's page: his state and what he may do about it, and the call at his phone with its caller's data.

import { Refused, ask, duration, element, follow, key, showState, write } from "./common.js";

const EXTENSION = "tandem.extension";
const $ = (id) => document.getElementById(id);

let extension = sessionStorage.getItem(EXTENSION);
let screen = null; // what the server said last
let heard = 0; // when, in ms of the page's clock
let lastCall = null; // stays on the page while the agent wraps up
let stop = () => {};

// --- who is he

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  key.set($("secret").value.trim());
  await enter($("extension").value.trim());
});

$("leave").addEventListener("click", () => {
  stop();
  key.forget();
  sessionStorage.removeItem(EXTENSION);
  location.reload();
});

/** Finds out whose key it is, and opens his page. */
async function enter(wanted) {
  try {
    const { agents } = await ask("GET", "/v1/agent-states");
    const found = wanted ? agents.find((agent) => agent.extension === wanted) : agents.length === 1 ? agents[0] : null;
    if (!found) throw new Error(wanted ? `there is no agent ${wanted}` : "name the extension: this key sees several agents");
    extension = found.extension;
  } catch (error) {
    signIn(error.message);
    return;
  }
  sessionStorage.setItem(EXTENSION, extension);
  $("sign-in").hidden = true;
  $("secret").value = "";
  stop = follow(`/v1/agents/${encodeURIComponent(extension)}/screen`, "tandem.screen", show, onLine);
}

function signIn(problem = "") {
  key.forget();
  $("desk").hidden = true;
  $("sign-in").hidden = false;
  write($("sign-in-problem"), problem);
  $("secret").focus();
}

function onLine(live) {
  $("line").dataset.line = live ? "live" : "lost";
  write($("line"), live ? "Connected" : "No connection: trying again");
}

// --- what he does

const actions = {
  login: () => ask("POST", `/v1/agents/${encodeURIComponent(extension)}/login`),
  logout: () => ask("POST", `/v1/agents/${encodeURIComponent(extension)}/logout`),
  resume: () => ask("POST", `/v1/agents/${encodeURIComponent(extension)}/resume`),
  done: () => ask("DELETE", `/v1/agents/${encodeURIComponent(extension)}/wrap-up`),
  extend: () => ask("POST", `/v1/agents/${encodeURIComponent(extension)}/wrap-up`, { seconds: 30 }),
};
for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", () => attempt(action));
$("pause").addEventListener("submit", (event) => {
  event.preventDefault();
  const reason = $("pause-reason").value;
  attempt(() => ask("POST", `/v1/agents/${encodeURIComponent(extension)}/pause`, { reason }));
});

$("hold-recording").addEventListener("click", () => {
  const { id, recording } = screen.call;
  attempt(() => ask("PUT", `/v1/calls/${encodeURIComponent(id)}/recording`, { state: recording === "paused" ? "on" : "paused" }));
});

async function attempt(action) {
  write($("problem"), "");
  try {
    await action();
  } catch (error) {
    write($("problem"), error instanceof Refused ? error.message : "The server cannot be reached.");
  }
}

/** Which buttons make sense in which state. */
const OFFERED = {
  "logged-out": ["login"],
  available: ["pause", "logout"],
  reserved: [],
  ringing: ["pause", "logout"],
  talking: ["pause", "logout"],
  "wrap-up": ["done", "extend", "pause", "logout"],
  paused: ["resume", "logout"],
  unreachable: ["logout"],
};

// --- what he sees

function show(next) {
  screen = next;
  heard = performance.now();
  $("desk").hidden = false;
  write($("who"), next.name ? `${next.extension} ${next.name}` : next.extension);
  document.title = `${next.extension} ${next.state} - Tandem`;
  showState($("state"), next.state);
  write($("reason"), next.state === "paused" ? next.reason : "");
  const offered = OFFERED[next.state] ?? [];
  for (const id of ["login", "resume", "pause", "done", "extend", "logout"]) $(id).hidden = !offered.includes(id);
  if (next.call) lastCall = next.call;
  else if (next.state !== "wrap-up") lastCall = null;
  showCall(lastCall, Boolean(next.call));
  tick();
}

function showCall(call, alive) {
  $("idle").hidden = Boolean(call);
  $("call").hidden = !call;
  if (!call) return;
  const state = !alive ? "over" : screen.state === "talking" || call.state === "talking" ? "talking" : "ringing";
  $("call").dataset.state = state;
  $("call-state").dataset.state = state === "over" ? "wrap-up" : state;
  write($("call-state"), { over: "Call over", talking: "Talking", ringing: "Ringing" }[state]);
  const caller = call.caller || "Number withheld";
  write($("caller"), caller);
  write($("announced"), state === "ringing" ? `Ringing: ${caller}` : "");
  $("recording").hidden = !alive || call.recording === "off";
  $("recording").dataset.state = call.recording;
  $("hold-recording").hidden = $("recording").hidden;
  write($("hold-recording"), call.recording === "paused" ? "Resume recording" : "Pause recording");
  write($("recording"), call.recording === "paused" ? "Recording paused" : "\u25cf Recording");
  const facts = { Queue: screen.queue, "Called number": call.called, Tenant: call.tenant, "Billing number": call.billing_number };
  fill($("facts"), Object.entries(facts).filter(([, value]) => value));
  fill($("data"), Object.entries(call.data));
  $("no-data").hidden = Object.keys(call.data).length > 0;
}

/** A list of names and values; drawn again only when it differs, so that what is marked or read stays. */
function fill(list, entries) {
  const now = JSON.stringify(entries);
  if (list.dataset.shown === now) return;
  list.dataset.shown = now;
  list.replaceChildren(...entries.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, described(value))]));
}

function described(value) {
  if (Array.isArray(value)) return element("ul", {}, ...value.map((item) => element("li", {}, described(item))));
  if (value !== null && typeof value === "object") {
    const parts = Object.entries(value).flatMap(([name, inner]) => [element("dt", {}, name), element("dd", {}, described(inner))]);
    return element("dl", {}, ...parts);
  }
  if (value === null) return "-";
  if (value === true) return "yes";
  if (value === false) return "no";
  return String(value);
}

/** The clocks on the page. */
function tick() {
  if (!screen) return;
  const passed = (performance.now() - heard) / 1000;
  const left = screen.wrap_up_left === null ? "" : `, ${duration(screen.wrap_up_left - passed)} left`;
  write($("in-state"), duration(screen.seconds + passed) + left);
  if (screen.call) write($("call-time"), duration(screen.time - screen.call.since + passed));
}

setInterval(tick, 250);
if (key.get()) enter(extension ?? "");
else signIn();
