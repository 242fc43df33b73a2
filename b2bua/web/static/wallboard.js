// The wallboard: who waits where and for how long, whether we answer in time, and what the agents do.

import { STATES, ask, duration, element, follow, key, showState, write } from "./common.js";

const $ = (id) => document.getElementById(id);
const ORDER = Object.keys(STATES);

let stop = () => {};

$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  key.set($("secret").value.trim());
  enter();
});

$("leave").addEventListener("click", () => {
  stop();
  key.forget();
  location.reload();
});

async function enter() {
  try {
    show(await ask("GET", "/v1/board"));
  } catch (error) {
    key.forget();
    $("sign-in").hidden = false;
    write($("sign-in-problem"), error.message);
    $("secret").focus();
    return;
  }
  $("sign-in").hidden = true;
  $("secret").value = "";
  $("wall").hidden = false;
  stop = follow("/v1/board", "tandem.board", show, onLine);
}

function onLine(live) {
  $("line").dataset.line = live ? "live" : "lost";
  write($("line"), live ? "Live" : "No connection: these figures are old");
  $("wall").classList.toggle("lost", !live);
}

function show(board) {
  write($("node"), board.node);
  write($("clock"), new Date(board.time * 1000).toLocaleTimeString());
  write($("waiting"), String(board.waiting));
  write($("oldest"), duration(Math.max(0, ...board.queues.map((queue) => queue.oldest))));
  write($("level"), percent(overall(board.queues)));
  write($("free"), String(board.states.available ?? 0));
  $("no-queues").hidden = board.queues.length > 0;
  rows($("queues"), board.queues, (queue) => queue.queue, newQueue, showQueue);
  const areas = Object.entries(board.areas).filter(([, count]) => count).sort();
  $("no-areas").hidden = areas.length > 0;
  rows($("areas"), areas, ([area]) => area, newChip, showChip);
  const states = ORDER.filter((state) => board.states[state]).map((state) => [state, board.states[state]]);
  rows($("states"), states, ([state]) => state, newStateChip, showChip);
  const agents = board.agents.filter((agent) => agent.state !== "logged-out");
  agents.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.extension.localeCompare(b.extension));
  rows($("agents"), agents, (agent) => agent.extension, newAgent, showAgent);
}

/** Part of all calls that were answered in time: queues count by their calls. */
function overall(queues) {
  let [counted, inTime] = [0, 0];
  for (const queue of queues) {
    if (queue.service_level === null) continue;
    const calls = queue.answered + queue.abandoned + queue.elsewhere;
    counted += calls;
    inTime += calls * queue.service_level;
  }
  return counted ? inTime / counted : null;
}

const percent = (share) => (share === null ? "-" : `${Math.round(share * 100)} %`);
const listed = (counts, none) =>
  Object.entries(counts).filter(([, count]) => count).sort().map(([name, count]) => `${name || none}\u00a0${count}`).join(", ");

/** One child for each item, kept from message to message by its key, in the items' order. */
function rows(parent, items, keyOf, make, fill) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, at) => {
    const name = String(keyOf(item));
    let child = known.get(name);
    known.delete(name);
    if (!child) {
      child = make(item);
      child.dataset.key = name;
    }
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
    fill(child, item);
  });
  for (const gone of known.values()) gone.remove();
}

function newQueue() {
  const cells = ["", "n", "n", "n", "", "", "n", "n", "n", "n", ""];
  const row = element("tr", {}, element("th", { scope: "row" }));
  row.append(...cells.slice(1).map((kind) => element("td", { class: kind || null })));
  return row;
}

function showQueue(row, queue) {
  const states = ORDER.filter((state) => queue.agents[state] && state !== "logged-out");
  const texts = [
    queue.name || queue.queue,
    String(queue.waiting),
    queue.waiting ? duration(queue.oldest) : "-",
    queue.estimate === null ? "-" : duration(queue.estimate),
    listed(queue.areas, "-"),
    listed(queue.priorities, "normal"),
    percent(queue.service_level),
    String(queue.offered),
    String(queue.answered),
    String(queue.abandoned),
    states.map((state) => `${queue.agents[state]} ${STATES[state].toLowerCase()}`).join(", ") || "none logged in",
  ];
  texts.forEach((text, at) => write(row.children[at], text));
  row.children[1].classList.toggle("waits", queue.waiting > 0);
  row.children[6].classList.toggle("bad", queue.service_level !== null && queue.service_level < queue.service_target);
  row.children[6].classList.toggle("good", queue.service_level !== null && queue.service_level >= queue.service_target);
}

const newChip = ([name]) => element("li", {}, `${name} `, element("b"));
const newStateChip = ([state]) => element("li", { class: "state", "data-state": state }, `${STATES[state]} `, element("b"));
const showChip = (chip, [, count]) => write(chip.lastChild, String(count));

function newAgent() {
  const listens = element("button", { type: "button", hidden: "" }, "Listen");
  listens.addEventListener("click", () => listen(listens.dataset.call, listens.dataset.agent));
  return element("li", {}, element("span", { class: "state" }), element("span", { class: "name" }), element("span", { class: "number faint" }), listens);
}

function showAgent(item, agent) {
  showState(item.children[0], agent.state);
  const why = agent.state === "paused" && agent.reason ? `, ${agent.reason}` : agent.queue ? `, ${agent.queue}` : "";
  write(item.children[1], `${agent.extension} ${agent.name}${why}`);
  write(item.children[2], duration(agent.seconds));
  const call = agent.state === "talking" && agent.call && !agent.call.startsWith("monitor:") ? agent.call : "";
  const listens = item.children[3];
  listens.hidden = !call || !$("mine").value.trim();
  listens.setAttribute("aria-label", `Listen to ${agent.extension}`);
  Object.assign(listens.dataset, { call, agent: agent.extension });
}

/** Rings the phone of whoever looks at the wallboard, who then hears this agent's call. */
async function listen(call, agent) {
  const supervisor = $("mine").value.trim();
  try {
    await ask("POST", `/v1/calls/${encodeURIComponent(call)}/monitor`, { supervisor, agent });
    write($("listening"), `The phone of ${supervisor} rings for the call of ${agent}`);
  } catch (error) {
    write($("listening"), error.message);
  }
}

if (key.get()) enter();
else {
  $("sign-in").hidden = false;
  $("secret").focus();
}
