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

// Errors of a form are where the reader goes on.
document.querySelector("[data-focus]")?.focus();
