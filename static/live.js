// Tells a visitor what happens while a page is open: toasts, how much is unread; on his own page totals, ranks, unlocks.
// The socket is a hint, the page's fragment is the truth. <script id="live"> says where things are.
"use strict";

const at = (id) => document.getElementById(id);
const config = JSON.parse(at("live").textContent);
const stack = at("toasts"), template = at("toast"), said = at("said"), state = at("live-state");
const { art, glyphs, tints, tiers } = template.dataset;

const SHOWN_MS = 6000, LEGENDARY_MS = 8000, LEAVING_MS = 200, TICK_MS = 200, NEW_ROW_MS = 10000;
const MOST_TOASTS = 3, SWIPE_PX = 80, MOST_COUNTED = 99;
const GATHER_MS = 60, MISSED_MS = 400; // how long to wait for more: in a burst, after a break
const LOOKS_MS = [200, 300, 400, 1000, 2000, 4000]; // between looks at the ranks: 200 ms after a toast, at 500 ms, …
const REFUSED_MS = 1000, MOST_REFUSED_MS = 30000; // until a refused look is tried again, longer each time
const SILENCE_MS = 45000; // the server pings every 20 s
const LEAST_WAIT_MS = 500, MOST_WAIT_MS = 5000, GIVE_UP_AFTER = 24;
const FAILURES_OF_A_WIRE = 2; // then the other one is tried: some networks let no WebSocket through
const REPLACED = ["leaderboard.updated", "achievement.progress"]; // a newer one takes an unread one's place

// --- connection: a WebSocket, or an event stream where there is none ---
let socket = null, lastId = config.after, tries = 0, silence = 0, wakeUp = 0, missedUntil = 0;
let failures = 0, streams = !("WebSocket" in window);
const seen = new Set();

function show(name, text) {
  if (!state) return;
  state.hidden = false;
  state.dataset.state = name;
  state.textContent = text;
}

async function connect() {
  clearTimeout(wakeUp);
  if (socket) return;
  socket = {}; // nobody else connects while we sign in
  try {
    const answer = await fetch(config.session_url, { method: "POST", headers: { "X-CSRFToken": config.csrf } });
    if (answer.status === 401 || answer.status === 403) return pause();
    if (!answer.ok) return retry();
    await (streams ? listen() : open()); // who we are is in the session's cookie
  } catch {
    retry();
  }
}

function open() {
  socket = new WebSocket(config.websocket, "laurel.v1");
  socket.onopen = () => send({ type: "authenticate", ...(lastId && { after: lastId }) });
  socket.onmessage = ({ data }) => { awaitNext(); receive(JSON.parse(data)); };
  socket.onclose = retry;
  awaitNext();
}

/** Read the event stream; `fetch` can say where to go on at once, EventSource only after a break of its own. */
async function listen() {
  const cut = new AbortController();
  socket = { close: () => cut.abort() };
  awaitNext();
  const headers = lastId ? { "Last-Event-ID": lastId } : {};
  const answer = await fetch(config.stream, { credentials: "include", headers, signal: cut.signal });
  if (!answer.ok) return retry();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = "", part; !(part = await reader.read()).done;) {
    awaitNext();
    const blocks = (text + part.value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      if (/^: ready/m.test(block)) ready();
      const data = /^event: (?!close$)[\s\S]*^data: (.*)$/m.exec(block);
      if (data) receive(JSON.parse(data[1]));
    }
  }
  retry();
}

function send(message) {
  if (!streams) socket.send(JSON.stringify(message));
}

function awaitNext() {
  clearTimeout(silence);
  silence = setTimeout(() => { socket.onclose = null; socket.close(); if (!streams) retry(); }, SILENCE_MS);
}

function retry() {
  clearTimeout(silence);
  socket = null;
  tries += 1;
  if (++failures >= FAILURES_OF_A_WIRE) [streams, failures] = [!streams || !("WebSocket" in window), 0];
  if (tries > GIVE_UP_AFTER) return pause();
  show("reconnecting", "Reconnecting…");
  const wait = Math.min(MOST_WAIT_MS, LEAST_WAIT_MS * 2 ** (tries - 1));
  wakeUp = setTimeout(connect, wait * (0.5 + Math.random() / 2));
}

function pause() {
  clearTimeout(silence);
  show("paused", "Paused.");
}

function receive({ type, id, data }) {
  if (type === "ping") return send({ type: "pong" });
  if (type === "ready") return ready();
  if (!id || seen.has(id)) return;
  seen.add(id);
  lastId = id;
  if (!REPLACED.includes(type)) countUnread();
  if (type === "achievement.unlocked") gather(data);
  else look(0);
}

function ready() {
  show("live", "Live");
  if (tries) missedUntil = Date.now() + 2000; // what comes now happened during the break
  tries = failures = 0;
  look(0);
}

function countUnread() {
  for (const badge of document.querySelectorAll("[data-unread]")) {
    const unread = Number(badge.dataset.unread) + 1;
    badge.dataset.unread = unread;
    badge.firstChild.textContent = unread > MOST_COUNTED ? `${MOST_COUNTED}+` : unread;
    badge.hidden = false;
  }
}

// --- unlocks ---
let waiting = [], gathering = 0, many = null;
const fresh = new Set(), expected = new Map();

/** Wait a moment for more, so that a burst becomes few toasts and one look at the server. */
function gather(unlock) {
  waiting.push(unlock);
  const away = document.hidden || Date.now() < missedUntil;
  gathering ||= setTimeout(announce, away ? MISSED_MS : GATHER_MS, away);
}

function announce(away) {
  const unlocks = waiting.splice(0);
  gathering = 0;
  unlocks.forEach(count);
  markNew(main); // a look for another reason may have shown the row already
  const room = away && unlocks.length > 1 ? 0 : Math.max(0, MOST_TOASTS - stack.childElementCount);
  unlocks.slice(0, room).forEach(toastOne);
  chime(unlocks);
  if (unlocks.length > room) toastMany(unlocks.slice(room), away);
  said.textContent = unlocks.length > 1 ? `${unlocks.length} achievements unlocked.` : sentence(unlocks[0]);
  look(LOOKS_MS[0]);
}

/** Count an unlock on the page at once, and note which total the ranks have to follow. */
function count({ game_id: game, achievement, totals }) {
  const id = `${game}/${achievement.key}`;
  fresh.add(id);
  expected.set(game, Math.max(totals.points, expected.get(game) ?? 0));
  const card = document.querySelector(`a[data-game="${CSS.escape(game)}"]`);
  if (!card) return; // what is counted already is not known; the fragment tells in a moment
  for (const name of ["points", "unlocked"]) {
    const total = document.querySelector(`[data-total=${name}]`);
    if (!total) return;
    const more = Math.max(0, totals[name] - Number(card.dataset[name]));
    total.textContent = written(Number(total.textContent.replaceAll(",", "")) + more);
    card.dataset[name] = Number(card.dataset[name]) + more;
  }
}

const written = (number) => number.toLocaleString("en");
const apart = (name) => `\u2068${name}\u2069`; // whatever turns in it turns nothing beside it (UAX #9)
const capital = (word) => word[0].toUpperCase() + word.slice(1);

function sentence({ achievement: { name, rarity }, points }) {
  const what = rarity?.tier ? `${capital(rarity.tier)} achievement` : "Achievement";
  return `${what} unlocked: ${name}, ${written(points)} point${points === 1 ? "" : "s"}.`;
}

// --- toasts ---
function toastOne({ game_id: id, game, achievement, points }) {
  const tier = achievement.rarity?.tier;
  const counted = document.querySelector(`a[data-game="${CSS.escape(id)}"]`); // else the total is not known yet
  const sum = counted && document.querySelector("[data-total=points]")?.textContent.trim();
  const total = sum && `${sum} in all`;
  const card = toast(achievement, tier, {
    kind: tier ? `${capital(tier)} unlocked` : "Unlocked",
    name: achievement.name,
    text: [game?.title && apart(game.title), total].filter(Boolean).join(" · "),
    points: `+${written(points)}`,
  });
  card.querySelector("a").href = config.game_url.replace("{game}", encodeURIComponent(id));
  add(card, tier === "legendary" ? LEGENDARY_MS : SHOWN_MS);
}

/** One toast for everything that found no room; it goes on counting while it is shown. */
function toastMany([{ achievement }, ...others], away) {
  const number = others.length + 1 + (many?.isConnected ? many.number : 0);
  many?.remove();
  many = toast(achievement, "", {
    kind: `${number > 1 ? `${number} unlocked` : "Unlocked"}${away ? " while you were away" : ""}`,
    name: number > 1 ? `${apart(achievement.name)} and ${number - 1} more` : achievement.name,
    text: "See all in Latest unlocks",
  });
  many.querySelector("a").href = at("latest") ? "#latest" : `${config.home_url}#latest`;
  many.number = number;
  add(many, LEGENDARY_MS);
}

function toast(achievement, tier, parts) {
  const card = template.content.firstElementChild.cloneNode(true);
  if (tier) card.classList.replace("tier-none", `tier-${tier}`);
  for (const part of card.querySelectorAll("[data-part]")) part.textContent = parts[part.dataset.part] ?? "";
  card.querySelector("[data-part=name]").title = parts.name; // of which two lines are shown
  const leaves = card.querySelector(".leaves"), filled = tiers.split(" ").indexOf(tier);
  if (filled < 0) leaves.remove();
  [...leaves.children].forEach((leaf, n) => leaf.classList.toggle("on", n <= filled));
  picture(card.querySelector(".tile"), achievement);
  return card;
}

/** The studio's icon, or the built-in tile: the same choice as core/artwork.py makes. */
function picture(tile, { key, icon_url: src }) {
  // Pictures of an instance without TLS are its own, or are not shown (img-src).
  const own = /^http:\/\/[^/]+(\/media\/icons\/[\da-f-]{36}\/[\da-f]{32}-256\.webp)$/.exec(src)?.[1];
  if (own || src?.startsWith("https://")) {
    if (own || src.startsWith(`${location.origin}/media/icons/`)) src = (own ?? src).replace("-256.webp", "-112.webp");
    return tile.replaceWith(Object.assign(new Image(), { src, className: "tile", alt: "", referrerPolicy: "no-referrer" }));
  }
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(key)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  const choose = (names, number, all = names.split(" ")) => all[number % all.length];
  tile.classList.add(`tint-${choose(tints, hash >>> 12)}`);
  tile.lastElementChild.setAttribute("href", `${art}#${choose(glyphs, hash)}`);
}

/** Show a toast until its time is up; its button, its link, Escape and a swipe close it sooner. */
function add(card, left) {
  let from;
  card.left = left;
  card.onclick = ({ target }) => { if (target.closest("a, button")) leave(card); };
  card.onpointerdown = ({ clientX }) => { from = clientX; };
  card.onpointermove = ({ clientX, buttons }) => { card.style.translate = buttons ? `${clientX - from}px` : ""; };
  card.onpointerup = ({ clientX }) => { Math.abs(clientX - from) > SWIPE_PX ? leave(card) : card.style.translate = ""; };
  stack.append(card);
}

function leave(card) {
  card.classList.add("is-leaving");
  setTimeout(() => card.remove(), LEAVING_MS);
}

setInterval(() => {
  if (document.hidden || stack.matches(":hover, :focus-within")) return;
  for (const card of stack.children) if ((card.left -= TICK_MS) === 0) leave(card);
}, TICK_MS);
addEventListener("keydown", ({ key }) => { if (key === "Escape" && stack.lastElementChild) leave(stack.lastElementChild); });

// --- sound: off until its switch is used, which this browser remembers ---
const sound = at("sound"), NOTES_HZ = [659.25, 987.77, 1318.51], NOTE_S = 0.09, FADE_S = 0.5, LOUDNESS = 0.06;
let speaker = null;

function isLoud() {
  try { return localStorage.getItem("laurel.sound") === "on"; } catch { return false; } // storage may be forbidden
}

/** Play two notes, and a third for what is legendary. */
function chime(unlocks) {
  if (!isLoud() || document.hidden) return;
  speaker ??= new AudioContext();
  speaker.resume();
  const notes = unlocks.some(({ achievement }) => achievement.rarity?.tier === "legendary") ? 3 : 2;
  NOTES_HZ.slice(0, notes).forEach((hertz, n) => {
    const from = speaker.currentTime + n * NOTE_S;
    const tone = new OscillatorNode(speaker, { type: "sine", frequency: hertz });
    const volume = new GainNode(speaker, { gain: 0 });
    volume.gain.setValueAtTime(LOUDNESS, from);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + FADE_S);
    tone.connect(volume).connect(speaker.destination);
    tone.start(from);
    tone.stop(from + FADE_S);
  });
}

if (sound && "AudioContext" in window) {
  const press = () => sound.setAttribute("aria-pressed", isLoud());
  sound.hidden = false;
  sound.onclick = () => {
    try { localStorage.setItem("laurel.sound", isLoud() ? "off" : "on"); } catch { return; }
    press();
    chime([]);
  };
  press();
}

// --- the page's own parts ---
const main = at("main"), fragment = main.dataset.fragment && new URL(main.dataset.fragment, location);
let looking = 0, dueAt = Infinity, looks = 0, isAsking = false, askAgain = false;
let refusals = 0, notBefore = 0; // what a server that refuses asked for, or what we give it

/** Ask the server for the page's parts in `ms`, unless that happens sooner anyway. */
function look(ms, again = 0) {
  looks = again;
  const wait = Math.max(ms, notBefore - Date.now());
  if (!fragment || Date.now() + wait >= dueAt) return;
  clearTimeout(looking);
  dueAt = Date.now() + wait;
  looking = setTimeout(refresh, wait);
}

/** One at a time, so that no older answer comes after a newer one. */
async function refresh() {
  dueAt = Infinity;
  if (isAsking) { askAgain = true; return; }
  isAsking = true;
  try {
    const answer = await fetch(fragment);
    if (answer.ok) {
      replace(await answer.text());
      refusals = notBefore = 0;
    } else if (answer.status === 429 || answer.status >= 500) askLater(Number(answer.headers.get("Retry-After")) || 0);
  } catch { // no connection, or one that broke
    askLater(0);
  }
  isAsking = false;
  for (const { dataset } of document.querySelectorAll("[data-board-score]")) {
    if (Number(dataset.boardScore) >= expected.get(dataset.game)) expected.delete(dataset.game);
  }
  if (askAgain) { askAgain = false; look(0); }
  else if (expected.size && ++looks < LOOKS_MS.length) look(LOOKS_MS[looks], looks);
}

function askLater(leastS) {
  const wait = Math.min(MOST_REFUSED_MS, REFUSED_MS * 2 ** refusals++);
  notBefore = Date.now() + Math.max(leastS * 1000, wait) * (1 + Math.random() / 2);
  look(0, looks);
}

function replace(html) {
  for (const part of new DOMParser().parseFromString(html, "text/html").querySelectorAll("[data-live]")) {
    const old = document.querySelector(`main [data-live="${part.dataset.live}"]`);
    localTimes(part); // as page.js has done with the old one
    markNew(part);
    if (old && !old.isEqualNode(part)) swap(old, document.importNode(part, true));
  }
}

/** Mark the rows of what was unlocked just now, for a while from when they are first seen, however late that is. */
function markNew(within) {
  for (const row of within.querySelectorAll("[data-unlock]")) {
    const id = row.dataset.unlock, isNew = fresh.has(id);
    row.classList.toggle("is-new", isNew);
    if (isNew) setTimeout(() => fresh.delete(id), NEW_ROW_MS);
  }
}

/** Put a part in its old one's place; what was open stays open, and the focus where it was. */
function swap(old, part) {
  const href = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
  if (old.querySelector("details[open]")) part.querySelector("details").open = true;
  old.replaceWith(part);
  part.dispatchEvent(new CustomEvent("laurel:replaced", { bubbles: true }));
  if (href) part.querySelector(`[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
}

/** Change the curve's length in place. */
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-span]");
  if (!link || !fragment || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  fragment.searchParams.set("span", new URL(link.href).searchParams.get("span"));
  history.replaceState(null, "", link.href);
  look(0);
});

addEventListener("online", connect);
document.addEventListener("visibilitychange", () => { if (!document.hidden) connect(); });
show("connecting", "Connecting…");
connect();
