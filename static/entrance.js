// Comforts of the pages around signing in: a refused form's summary takes the focus; what went wrong with a passkey is
// said on the page.
"use strict";

document.querySelector("[data-focus]")?.focus();

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const said = document.getElementById("passkey-error");
  if (!said) return;
  said.hidden = false;
  said.focus();
});
