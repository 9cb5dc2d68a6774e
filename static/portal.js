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

// A box that chooses all boxes of a table.
for (const box of document.querySelectorAll("[data-choose-all]")) {
  const others = () => box.form.querySelectorAll(`input[name="${box.dataset.chooseAll}"]`);
  box.hidden = false;
  box.addEventListener("change", () => { for (const one of others()) one.checked = box.checked; });
}

// Errors of a form are where the reader goes on.
document.querySelector("[data-focus]")?.focus();
