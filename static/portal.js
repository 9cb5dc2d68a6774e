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

/** A button below lines of fields: it adds one as empty as a line can be. */
function moreLines(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const last = [...button.closest("fieldset, section, .lines").querySelectorAll(button.dataset.moreLines)].at(-1);
    const line = last.cloneNode(true);
    for (const field of line.querySelectorAll("input, textarea")) field.value = field.dataset.empty ?? "";
    for (const field of line.querySelectorAll("select")) field.selectedIndex = 0;
    last.after(line);
    line.querySelector("input:not(.of-sum), select").focus();
  });
}

const prepareLines = (root) => root.querySelectorAll("[data-more-lines]").forEach(moreLines);
prepareLines(document);
document.addEventListener("laurel:replaced", (event) => prepareLines(event.target));

// Errors of a form are where the reader goes on.
document.querySelector("[data-focus]")?.focus();
