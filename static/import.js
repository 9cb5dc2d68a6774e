// The import page: a file is dropped where it would be chosen, and what it would change is shown at once.
"use strict";

function dropZone(form) {
  const zone = form.querySelector(".drop-zone"), input = form.elements.file;
  const isFile = (event) => [...event.dataTransfer.types].includes("Files");
  const mark = (is) => zone.classList.toggle("is-over", is);
  // Beside the zone a dropped file would take the place of the page.
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => { if (isFile(event)) event.preventDefault(); });
  }
  zone.addEventListener("dragover", (event) => { if (isFile(event)) mark(true); });
  zone.addEventListener("dragleave", (event) => { if (!zone.contains(event.relatedTarget)) mark(false); });
  zone.addEventListener("drop", (event) => {
    mark(false);
    if (!isFile(event)) return;
    const { files } = event.dataTransfer;
    if (files.length !== 1) {
      form.querySelector("[data-drop-said]").textContent = form.dataset.drop;
      return;
    }
    input.files = files;
    form.requestSubmit();
  });
}

document.querySelectorAll("[data-drop]").forEach(dropZone);
