// What a board's page does by itself: more rows by scrolling, keys between rows, the newest places once a minute.
// Everything is also a link: without this the page is the same.
"use strict";

{ // beside live.js, whose names are other ones
  const main = document.getElementById("main");
  const said = main.querySelector("[data-board-said]");
  const AUTOMATIC_PAGES = 4; // then a click is asked for: the page's end has to be reachable
  let loaded = 0, isExpanded = false;

  const say = (text) => { said.textContent = text; };
  const table = () => main.querySelector("[data-board-rows] tbody");
  const rows = () => [...main.querySelectorAll("[data-board-rows] tr[data-place]")];
  const number = (value) => value.toLocaleString("en");

  async function ask(url) {
    const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(20000) });
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  function withRows(link) {
    const url = new URL(link, location.href);
    url.searchParams.set("part", "rows");
    return url;
  }

  /** Add the rows behind a link's cursor: at the table's end, or in its gap until it is closed. The focus stays. */
  async function more(link, gap) {
    if (link.ariaBusy === "true") return;
    isExpanded = true;
    link.ariaBusy = "true";
    try {
      const found = await ask(withRows(link.href));
      const next = gap ? Number(gap.nextElementSibling.dataset.place) : Infinity;
      const known = new Set(rows().map((row) => row.dataset.place));
      const added = [...found.querySelectorAll("tr[data-place]")]
        .filter((row) => Number(row.dataset.place) < next && !known.has(row.dataset.place));
      const held = document.activeElement === link;
      for (const row of added) gap ? gap.before(row) : table().append(row);
      for (const row of added) row.dispatchEvent(new Event("laurel:replaced", { bubbles: true }));
      const on = found.querySelector("[data-more]");
      gap ? narrow(gap, link, on, added) : end(found, added, held);
      say(added.length ? `${number(added.length)} more places.` : "There are no more places.");
    } catch {
      say("No more places could be loaded. The link still leads to them.");
    } finally {
      link.ariaBusy = null;
    }
  }

  function narrow(gap, link, on, added) {
    const last = Number(gap.previousElementSibling?.dataset.place ?? -1);
    const between = Number(gap.nextElementSibling.dataset.place) - last - 1;
    if (between <= 0 || !on || !added.length) {
      if (document.activeElement === link) added[0]?.focus();
      gap.remove();
      return watch();
    }
    gap.querySelector("[data-between]").textContent = `${number(between)} player${between === 1 ? "" : "s"}`;
    link.href = on.href;
  }

  function end(found, added, held) {
    const old = main.querySelector("[data-board-end]"), next = found.querySelector("[data-board-end]");
    old.replaceWith(next);
    watch();
    if (held) (next.querySelector("a") ?? added.at(-1))?.focus({ preventScroll: true });
  }

  main.addEventListener("click", (event) => {
    const link = event.target.closest("[data-more], [data-more-here]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    more(link, link.closest("[data-gap]"));
  });

  const nearEnd = new IntersectionObserver((seen) => {
    const link = seen.find((one) => one.isIntersecting)?.target;
    if (!link || loaded >= AUTOMATIC_PAGES || !window.scrollY) return;
    loaded += 1;
    more(link, null);
  }, { rootMargin: "200px" });

  function watch() {
    nearEnd.disconnect();
    const link = main.querySelector("[data-more]");
    if (link && !main.querySelector("[data-gap]")) nearEnd.observe(link); // behind a gap one asks for more
  }

  // --- j and k between rows ---
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !["j", "k"].includes(event.key)) return;
    if (!main.querySelector("[data-keys]") || event.target.closest("input, textarea, select, [contenteditable]")) return;
    const all = rows(), here = all.indexOf(document.activeElement.closest("tr[data-place]"));
    const next = all[event.key === "j" ? here + 1 : Math.max(0, here - 1)];
    event.preventDefault();
    if (next) return next.focus();
    const link = main.querySelector("[data-more]");
    if (link) more(link, null).then(() => rows()[here + 1]?.focus());
  });

  // --- the newest places, while somebody looks ---
  const live = main.dataset.liveBoard, everyMs = Number(main.dataset.everyS) * 1000;

  function show(name, text) {
    const state = document.getElementById("board-state");
    if (!state) return;
    state.hidden = false;
    state.dataset.state = name;
    state.textContent = text;
  }

  let askedAt = Date.now();
  async function refresh() {
    if (isExpanded) return show("paused", "Paused.");
    if (document.hidden || Date.now() - askedAt < everyMs) return;
    const columns = document.getElementById("board-columns");
    if (columns.contains(document.activeElement)) return;
    askedAt = Date.now();
    try {
      const found = await ask(live);
      if (isExpanded) return;
      for (const part of document.querySelectorAll("[data-part]")) {
        const next = found.getElementById(part.id);
        if (!next || next.innerHTML === part.dataset.was) continue;
        next.dataset.was = next.innerHTML;
        part.replaceWith(next);
        next.dispatchEvent(new Event("laurel:replaced", { bubbles: true }));
      }
      show("live", "Live");
      watch();
    } catch {
      show("reconnecting", "Reconnecting…");
    }
  }

  if (live) {
    show("live", "Live");
    setInterval(refresh, Math.min(5000, everyMs));
    document.addEventListener("visibilitychange", refresh);
  }
  watch();
}
