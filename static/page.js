// Comforts that a page works without: theme without a reload, local times, copying.
"use strict";

const timeZone = zoneOf(document.documentElement.dataset.zone);
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
const isoDay = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone });
const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const spoken = new Map(); // by language, since a page has many times, and to make one of these takes longest

/** The zone that the reader chose, if his browser knows it; else undefined, which means the browser's own. */
function zoneOf(name) {
  try {
    return name && new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** How a language says days, and today and yesterday. */
function wordsOf(language) {
  if (!spoken.has(language)) {
    spoken.set(language, {
      days: new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric", timeZone }),
      near: new Intl.RelativeTimeFormat(language, { numeric: "auto" }),
    });
  }
  return spoken.get(language);
}

/** A day, such as 2026-11-26, in the page's language; browsers of today disagree about September in English. */
function dayText(at, day, language) {
  if (language !== "en") return wordsOf(language).days.format(at);
  const [year, month, date] = day.split("-").map(Number);
  return `${date} ${months[month - 1]} ${year}`;
}

/** Write every time in the reader's own zone; the title keeps UTC. What is written so already costs no layout. */
function localTimes(root) {
  const today = isoDay.format(new Date());
  const yesterday = isoDay.format(new Date(Date.now() - 864e5));
  for (const element of root.querySelectorAll("time[datetime]")) {
    const language = element.closest("[data-language]")?.dataset.language ?? document.documentElement.lang;
    const at = new Date(element.dateTime), day = isoDay.format(at);
    const near = day === today ? 0 : day === yesterday ? -1 : null;
    const text = near === 0 && "clock" in element.dataset ? clock.format(at)
      : near !== null ? `${wordsOf(language).near.format(near, "day")}, ${clock.format(at)}`
      : dayText(at, day, language) + ("moment" in element.dataset ? `, ${clock.format(at)}` : "");
    if (element.textContent !== text) element.textContent = text;
  }
}

function themeSwitch(form) {
  form.addEventListener("submit", (event) => {
    const chosen = event.submitter;
    if (!chosen) return;
    event.preventDefault();
    document.documentElement.dataset.bsTheme = chosen.value;
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", button === chosen);
    fetch(form.action, { method: "POST", body: new FormData(form, chosen), redirect: "manual" }).catch(() => {});
  });
}

/** A button that copies the text of the element it names; shown only where copying works. */
function copyButton(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  const label = button.querySelector("[data-label]"), own = label.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    label.textContent = document.body.dataset.copied;
    setTimeout(() => { label.textContent = own; }, 2000);
  });
}

/** A form that makes something: a second click sends nothing, as its answer would hide the first one's. */
function sendOnce(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => { delete form.dataset.sent; });
}

/** Scroll tabs or filters of which not all are in sight to the one that is chosen. */
function showChosen(row) {
  const chosen = row.querySelector("[aria-current]");
  if (!chosen) return;
  const own = chosen.getBoundingClientRect(), seen = row.getBoundingClientRect();
  if (own.right > seen.right) row.scrollLeft += own.right - seen.right;
  if (own.left < seen.left) row.scrollLeft -= seen.left - own.left;
  if (own.bottom > seen.bottom) row.scrollTop += own.bottom - seen.bottom;
}

/** Prepare a page, or a part of it that was replaced. */
function prepare(root) {
  localTimes(root);
  root.querySelectorAll("[data-copy]").forEach(copyButton);
}

document.querySelectorAll("[data-theme-switch]").forEach(themeSwitch);
document.querySelectorAll("[data-once]").forEach(sendOnce);
document.querySelectorAll(".tabs, .chips, .told-chips").forEach(showChosen);
prepare(document);
document.addEventListener("laurel:replaced", (event) => prepare(event.target));

// A single key leads to the search of the players' pages, unless the reader turned such keys off.
document.addEventListener("keydown", (event) => {
  const field = document.querySelector("[data-search-key]");
  if (!field || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
  if (!field.offsetParent) return; // a phone's top bar leads to the page instead
  event.preventDefault();
  field.focus();
  field.select();
});

// What floats over a page, such as the choice of an order, closes by Escape and by a click beside it.
const MENUS = "details:is(.choice, .menu-chip, .more, .menu, .switch)[open]";
document.addEventListener("keydown", ({ key, target }) => {
  const menu = key === "Escape" && (target.closest(MENUS) ?? document.querySelector(MENUS));
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll(MENUS)) if (!menu.contains(target)) menu.open = false;
});
