// Comforts of the achievement editor: parts one at a time, a preview while typing, a drawer over the list.
// Without it the editor is a page with all parts, and a preview of what is saved.
"use strict";

const PREVIEW_MS = 300;

/** Show one part of the editor, the one that the address or an error names; the others wait. */
function parts(root, form, hash) {
  const all = [...form.querySelectorAll("[data-section]")];
  const links = [...root.querySelectorAll("[data-section-link]")];
  const show = (id) => {
    for (const part of all) part.hidden = part.id !== id;
    for (const link of links) {
      if (link.dataset.sectionLink === id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  const wrong = form.querySelector(".field-wrong")?.closest("[data-section]");
  const named = all.find((part) => `#${part.id}` === hash);
  show((wrong ?? named ?? all[0]).id);
  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      show(link.dataset.sectionLink);
      history.replaceState(history.state, "", `#${link.dataset.sectionLink}`);
    });
  }
  // A link of the list of errors leads into its part.
  form.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    const field = link && document.getElementById(link.hash.slice(1));
    const part = field?.closest("[data-section]");
    if (!part) return;
    event.preventDefault();
    show(part.id);
    field.focus();
  });
}

/** Draw the preview anew a moment after typing; the server draws it, as it draws players' pages. */
function livePreview(form) {
  let timer, asking;
  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(form.dataset.preview, {
        method: "POST", body: new FormData(form), redirect: "error", signal: asking.signal,
      });
      if (!answer.ok) return;
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("preview-stage");
      const stage = form.querySelector("#preview-stage");
      if (!next || !stage) return;
      next.dataset.bsTheme = stage.dataset.bsTheme;
      stage.replaceWith(next);
      const publish = form.querySelector("#publish-label");
      if (publish && next.dataset.label) publish.textContent = next.dataset.label;
      next.dispatchEvent(new Event("laurel:replaced", { bubbles: true }));
    } catch { /* the network is away, or a newer one is on its way */ }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PREVIEW_MS);
  });
  const buttons = form.querySelectorAll("[data-stage-theme]");
  for (const button of buttons) {
    button.addEventListener("click", () => {
      form.querySelector("#preview-stage").dataset.bsTheme = button.dataset.stageTheme;
      for (const one of buttons) one.setAttribute("aria-pressed", one === button);
    });
  }
  for (const one of form.querySelectorAll(".script-only")) one.hidden = false;
}

/** A new achievement's key follows its name until somebody types one. */
function suggestKey(form) {
  const { name, key } = form.elements;
  let own = key.value !== "";
  key.addEventListener("input", () => { own = true; });
  name.addEventListener("input", () => {
    if (own) return;
    key.value = name.value.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 128);
  });
}

/** Say beside a text how long it is and may be. */
function counts(form) {
  for (const field of form.querySelectorAll(".field [maxlength]")) {
    const shown = document.createElement("span");
    shown.className = "meta muted num field-count";
    shown.setAttribute("aria-hidden", "true");
    const count = () => {
      shown.textContent = form.dataset.count
        .replace("{n}", field.value.length.toLocaleString(document.documentElement.lang))
        .replace("{most}", field.maxLength.toLocaleString(document.documentElement.lang));
    };
    field.closest(".field").append(shown);
    field.addEventListener("input", count);
    count();
  }
}

/** The list of achievements to ask for: found by typing, walked through by arrows. */
function chooser(form) {
  const list = form.querySelector("[data-chooser]");
  if (!list) return;
  const filter = form.querySelector("[data-choose-filter]"), said = form.querySelector("[data-choose-said]");
  const items = [...list.children].map((item) => ({ item, box: item.querySelector("input"), text: item.textContent.toLocaleLowerCase() }));
  const shown = () => items.filter(({ item, box }) => !item.hidden && !box.disabled).map(({ box }) => box);
  const count = () => {
    said.textContent = said.dataset.chooseSaid
      .replace("{n}", items.filter(({ box }) => box.checked).length).replace("{most}", items.length);
  };
  const find = () => {
    const wanted = filter.value.trim().toLocaleLowerCase();
    for (const { item, text } of items) item.hidden = !text.includes(wanted);
    form.querySelector("[data-choose-none]").hidden = items.some(({ item }) => !item.hidden);
  };
  filter.addEventListener("input", find);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
    if (event.key === "ArrowDown") { event.preventDefault(); shown()[0]?.focus(); }
    if (event.key === "Escape" && filter.value) { event.preventDefault(); filter.value = ""; find(); }
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const boxes = shown(), next = boxes.indexOf(event.target) + step;
    if (next < 0) filter.focus(); else boxes[next]?.focus();
  });
  list.addEventListener("change", count);
  count();
}

/** Prepare an editor; return what keeps what is typed in it, if there is anything to type. */
function prepareEditor(root, hash = location.hash) {
  const form = root.querySelector("#edit-form");
  if (root.querySelector("#editor") && !(form && "new" in form.dataset)) NewKeeper.forgetSent();
  if (!form) return null;
  const keeper = "new" in form.dataset ? new NewKeeper(form) : new Keeper(form);
  parts(root, form, hash);
  livePreview(form);
  counts(form);
  chooser(form);
  if ("new" in form.dataset) suggestKey(form);
  return keeper;
}

const isTyped = (root) => Boolean(root.querySelector("#edit-form[data-typed]"));

/** Save what is not saved yet; where that can't be, ask whether to leave all the same. */
async function stays(root, keeper) {
  await keeper?.settle();
  return isTyped(root) && !confirm(root.querySelector("#edit-form").dataset.leave);
}

/** The list's drawer: the editor's own page, shown beside the list, with its own address. */
class Drawer {
  constructor() {
    this.list = location.href;
    this.isStale = false;
    this.dialog = document.createElement("dialog");
    this.dialog.className = "drawer";
    this.dialog.setAttribute("aria-labelledby", "editor-name");
    document.body.append(this.dialog);
    this.dialog.addEventListener("cancel", (event) => { event.preventDefault(); this.leave(); });
    this.dialog.addEventListener("click", (event) => this.clicked(event));
    this.dialog.addEventListener("submit", (event) => this.sent(event));
    this.dialog.addEventListener("laurel:saved", () => { this.isStale = true; });
    window.addEventListener("popstate", () => { if (this.dialog.open) this.back(); else location.reload(); });
  }

  async open(url) {
    if (await this.load(url)) this.push(url);
    else location.assign(url);
  }

  /** Let the drawer have its own address, to which Back returns from what is not to be left. */
  push(url) {
    this.address = url;
    history.pushState({ drawer: true }, "", url);
  }

  replace(url) {
    this.address = url;
    history.replaceState({ drawer: true }, "", url);
  }

  async load(url, options) {
    try {
      const answer = await fetch(url, options);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const editor = page.getElementById("editor");
      if (!editor) return answer.redirected ? location.assign(answer.url) ?? true : false;
      this.dialog.replaceChildren(...page.querySelectorAll("main > .message"), editor);
      if (!this.dialog.open) this.dialog.showModal();
      this.dialog.scrollTop = 0;
      if (options) this.replace(answer.url);
      this.keeper = prepareEditor(this.dialog, new URL(url, location.href).hash);
      this.dialog.dispatchEvent(new Event("laurel:replaced", { bubbles: true }));
      this.dialog.querySelector("[data-focus]")?.focus();
      return true;
    } catch {
      return false;
    }
  }

  clicked(event) {
    const link = event.target.closest("a");
    if (event.target === this.dialog) return void this.leave();
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || link.origin !== location.origin) return;
    const isOfList = link.pathname === new URL(this.list).pathname;
    if (!isOfList && !link.pathname.startsWith(new URL(this.list).pathname + "/")) return;
    event.preventDefault();
    if (isOfList) return void this.leave();
    this.follow(link.href);
  }

  async follow(url) {
    if (await stays(this.dialog, this.keeper)) return;
    if (await this.load(url)) this.replace(url);
    else location.assign(url);
  }

  sent(event) {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    event.preventDefault();
    if (this.isSending) return;
    this.isSending = this.isStale = true;
    const body = new FormData(form, event.submitter), keeper = this.keeper;
    this.load(form.action, { method: "POST", body })
      .then((shown) => {
        if (shown) return;
        if (keeper) keeper.failed(form);
        else location.assign(this.list);
      })
      .finally(() => { this.isSending = false; });
  }

  /** The browser's Back has left the drawer's address already. */
  async back() {
    if (this.isAsking) return;
    this.isAsking = true;
    if (await stays(this.dialog, this.keeper)) this.push(this.address);
    else this.close();
    this.isAsking = false;
  }

  async leave() {
    if (await stays(this.dialog, this.keeper)) return;
    this.close();
    if (location.href !== this.list) history.pushState(null, "", this.list);
  }

  close() {
    this.keeper = null;
    this.dialog.close();
    this.dialog.replaceChildren();
    if (this.isStale) location.assign(this.list);
  }
}

let drawer;
for (const link of document.querySelectorAll("[data-drawer]")) {
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    drawer ??= new Drawer();
    drawer.open(link.href);
  });
}

const opened = prepareEditor(document);
window.addEventListener("beforeunload", (event) => {
  if (!isTyped(document)) return;
  (drawer?.keeper ?? opened)?.settle();
  event.preventDefault();
});
