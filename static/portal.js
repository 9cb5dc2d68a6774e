// What a page of the portal does by itself. Everything else on it is a link or a form.
"use strict";

const POLL_MS = 2000;

/** A part of a page that waits for something: it is asked for again until it waits no more. */
async function poll(id) {
  const part = document.getElementById(id);
  if (!part || !part.dataset.poll) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(part.dataset.poll, { redirect: "error" });
      if (answer.ok) {
        const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
        if (next && next.dataset.poll !== part.dataset.poll) {
          part.replaceWith(next);
          next.dispatchEvent(new Event("laurel:replaced", { bubbles: true }));
        }
      }
    } catch { /* the network is away: it is asked again */ }
  }
  setTimeout(poll, POLL_MS, id);
}

for (const part of document.querySelectorAll("[data-poll]")) setTimeout(poll, POLL_MS, part.id);

/** A box that chooses all boxes of its table, and follows them; who wants to know is told how many are chosen. */
function chooseAll(box) {
  const others = [...box.closest("table").querySelectorAll(`input[name="${box.dataset.chooseAll}"]`)];
  const said = document.querySelector("[data-chosen]");
  const count = () => {
    const number = others.filter((one) => one.checked).length;
    if (said) said.textContent = said.dataset.label.replace("#", number);
    box.checked = number > 0 && number === others.length;
    box.indeterminate = number > 0 && number < others.length;
  };
  box.hidden = false;
  box.addEventListener("change", () => {
    for (const one of others) one.checked = box.checked;
    count();
  });
  for (const one of others) one.addEventListener("change", count);
  count();
}

document.querySelectorAll("[data-choose-all]").forEach(chooseAll);

const linesOf = (button) => [...button.closest("fieldset, section, .lines").querySelectorAll(button.dataset.moreLines)];

/** Add a line of fields, as empty as one can be, to those above a button; return it. */
function addLine(button) {
  const last = linesOf(button).at(-1), line = last.cloneNode(true);
  for (const field of line.querySelectorAll("input, textarea")) field.value = field.dataset.empty ?? "";
  for (const field of line.querySelectorAll("select")) field.selectedIndex = 0;
  last.after(line);
  return line;
}

/** A button below lines of fields that adds one. */
function moreLines(button) {
  button.hidden = false;
  button.addEventListener("click", () => addLine(button).querySelector("input:not(.of-sum), select").focus());
}

const prepareLines = (root) => root.querySelectorAll("[data-more-lines]").forEach(moreLines);
prepareLines(document);
document.addEventListener("laurel:replaced", (event) => prepareLines(event.target));

const SUGGEST_AFTER_MS = 250, SUGGEST_FROM = 2;

/** The search of the top bar: suggestions below it while one types, reached by the arrows (a combobox). */
function searchBar(form) {
  const field = form.querySelector("input"), list = form.querySelector("[role=listbox]");
  const said = form.querySelector("[role=status]");
  let waits = 0, asked = null, active = -1;
  const options = () => [...list.querySelectorAll("[role=option]")];
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");

  function choose(next) {
    const all = options();
    all[active]?.setAttribute("aria-selected", "false");
    active = next;
    const chosen = all[active];
    if (!chosen) return field.removeAttribute("aria-activedescendant");
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", chosen.id);
  }
  function show(isOpen) {
    if (!isOpen) choose(-1);
    list.hidden = !isOpen;
    field.setAttribute("aria-expanded", String(isOpen));
  }
  async function suggest() {
    asked?.abort();
    const text = field.value.trim();
    if (text.length < SUGGEST_FROM) { said.textContent = ""; return show(false); }
    asked = new AbortController();
    const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(10000)]);
    try {
      const answer = await fetch(`${form.dataset.search}?q=${encodeURIComponent(text)}`, { redirect: "error", signal });
      if (!answer.ok) return;
      const found = await answer.text();
      if (document.activeElement !== field) return;
      choose(-1);
      list.innerHTML = found;
      show(options().length > 0);
      said.textContent = options().length ? "" : form.dataset.none;
    } catch { /* it was overtaken, or the network is away: Enter still asks for the page */ }
  }

  field.addEventListener("input", () => { clearTimeout(waits); waits = setTimeout(suggest, SUGGEST_AFTER_MS); });
  field.addEventListener("keydown", (event) => {
    const count = options().length;
    if (event.key === "Escape" && list.hidden) return field.blur();
    if (list.hidden || !count) return;
    if (event.key === "ArrowDown") choose((active + 1) % count);
    else if (event.key === "ArrowUp") choose((active <= 0 ? count : active) - 1);
    else if (event.key === "Escape") show(false);
    else if (event.key === "Enter" && active >= 0) location.assign(options()[active].href);
    else return;
    event.preventDefault();
  });
  form.addEventListener("submit", () => { clearTimeout(waits); asked?.abort(); });
  form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) show(false); });
  list.addEventListener("mousedown", (event) => event.preventDefault());  // the field keeps the focus

  document.querySelector("[data-opens-search]")?.addEventListener("click", (event) => {
    event.preventDefault();
    form.closest("header").classList.toggle("search-open");
    field.focus();
  });
  onKeys({
    "/": () => {
      form.closest("header").classList.add("search-open");
      field.focus();
      field.select();
    },
    j: () => toRow(1),
    k: () => toRow(-1),
  }, () => field.hasAttribute("aria-keyshortcuts"));
}

/** Single keys that do something where nobody types and no drawer is open; `allowed` says whether they are on. */
function onKeys(acts, allowed) {
  document.addEventListener("keydown", (event) => {
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : null;
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!allowed() || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
    event.preventDefault();
    act();
  });
}

/** Go to the link of a table's row, so many rows on from the one that one is in; before all of them at first. */
function toRow(by) {
  const links = [...document.querySelectorAll("#main tbody tr")].map((row) => row.querySelector("a")).filter(Boolean);
  const here = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  links[Math.max(here + by, 0)]?.focus();
}

for (const form of document.querySelectorAll("form[data-search]")) searchBar(form);

// Errors of a form are where the reader goes on.
document.querySelector("[data-focus]")?.focus();
