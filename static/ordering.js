// The table of achievements: each row has a handle, to be dragged or moved by keys. Without this, its menu moves it.
"use strict";

const EDGE_PX = 72, SCROLL_PX = 12;
const form = document.getElementById("order");
const rows = document.querySelector("[data-rows]");
const said = document.getElementById("order-said");
let lifted = null; // { row, next: what followed it }

const all = () => [...rows.querySelectorAll("[data-row]")];
const say = (text) => { said.textContent = text; };
const tell = (text, list = all()) =>
  say(text.replace("{place}", list.indexOf(lifted.row) + 1).replace("{count}", list.length));

function lift(row) {
  lifted = { row, next: row.nextElementSibling };
  mark(row, true);
  tell(said.dataset.lifted);
}

function mark(row, is) {
  row.classList.toggle("is-lifted", is);
  row.querySelector("[data-handle]").setAttribute("aria-pressed", is);
}

/** Move the lifted row a place: its neighbour steps over it, so that it keeps the focus and the pointer. */
function shift(by) {
  const { row } = lifted;
  const neighbour = by < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!neighbour) return false;
  if (by < 0) row.after(neighbour); else row.before(neighbour);
  return true;
}

function putBack({ stays = true } = {}) {
  const { row, next } = lifted;
  lifted = null;
  mark(row, false);
  rows.insertBefore(row, next);
  say(said.dataset.back);
  if (stays) row.querySelector("[data-handle]").focus();
}

/** Save where the lifted row is, by its new neighbour; where that fails it goes back. */
async function drop() {
  const { row, next } = lifted;
  const above = row.previousElementSibling, below = row.nextElementSibling;
  if (below === next) return putBack();
  mark(row, false);
  const body = new URLSearchParams(new FormData(form));
  body.set("to", above ? `${row.dataset.row} behind ${above.dataset.row}` : `${row.dataset.row} before ${below.dataset.row}`);
  const held = lifted;
  lifted = null;
  const table = rows.closest("table");
  table.classList.add("is-saving");
  let answer = {}, ok = false;
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" });
    ok = response.ok;
    answer = await response.json();
  } catch { /* the network is away, or somebody else answered */ }
  table.classList.remove("is-saving");
  if (ok) say(answer.said);
  else {
    rows.insertBefore(held.row, held.next);
    say(answer.detail ?? said.dataset.failed);
  }
  refresh();
}

/** Tell each row's menu what is above and below it now. */
function refresh() {
  const list = all();
  list.forEach((row, place) => {
    const id = row.dataset.row;
    const above = list[place - 1]?.dataset.row ?? rows.dataset.above;
    const below = list[place + 1]?.dataset.row ?? rows.dataset.below;
    const up = row.querySelector("[data-up]"), down = row.querySelector("[data-down]");
    up.value = `${id} before ${above}`;
    down.value = `${id} behind ${below}`;
    up.disabled = !above;
    down.disabled = !below;
  });
}

function drag(event) {
  if (event.clientY < EDGE_PX + 56) scrollBy(0, -SCROLL_PX);
  if (event.clientY > innerHeight - EDGE_PX) scrollBy(0, SCROLL_PX);
  for (let moved = true; moved;) {
    const above = lifted.row.previousElementSibling?.getBoundingClientRect();
    const below = lifted.row.nextElementSibling?.getBoundingClientRect();
    moved = (above && event.clientY < above.top + above.height / 2 && shift(-1))
      || (below && event.clientY > below.top + below.height / 2 && shift(1));
  }
}

function keys(event) {
  const row = event.target.closest("[data-row]");
  if ((event.key === " " || event.key === "Enter") && !event.repeat) {
    event.preventDefault();
    if (lifted) drop(); else lift(row);
  } else if (lifted && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    if (shift(event.key === "ArrowUp" ? -1 : 1)) tell(said.dataset.moved);
    row.scrollIntoView({ block: "nearest" });
  } else if (lifted && event.key === "Escape") {
    event.preventDefault();
    putBack();
  }
}

function pointers(handle) {
  handle.addEventListener("pointerdown", (event) => {
    if (event.button || lifted) return;
    event.preventDefault();
    handle.focus();
    handle.setPointerCapture(event.pointerId);
    lift(handle.closest("[data-row]"));
  });
  handle.addEventListener("pointermove", (event) => {
    if (lifted && handle.hasPointerCapture(event.pointerId)) drag(event);
  });
  handle.addEventListener("pointerup", () => { if (lifted) drop(); });
  handle.addEventListener("pointercancel", () => { if (lifted) putBack(); });
}

if (form && rows && said) {
  for (const handle of rows.querySelectorAll("[data-handle]")) {
    handle.hidden = false;
    pointers(handle);
    handle.addEventListener("keydown", keys);
    handle.addEventListener("blur", () => { if (lifted) putBack({ stays: false }); });
  }
}
