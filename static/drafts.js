// Keeps what is typed in the achievement editor: with the draft by itself, and of a new achievement in this tab.
// Without it the editor has a button for that.
"use strict";

const KEEP_MS = 1200, AGAIN_MS = 5000, ANSWERS_WITHIN_MS = 20000, NEW_MS = 300;

/** Saves the form a moment after typing, one request at a time; each carries what the one before was answered. */
class Keeper {
  constructor(form) {
    this.form = form;
    this.editor = form.closest("#editor");
    this.isStopped = this.hasConflict();
    form.addEventListener("input", (event) => { if (!("skip" in event.target.dataset)) this.typed(); });
    this.editor.addEventListener("submit", (event) => this.submitted(event), true);
    this.editor.addEventListener("click", (event) => this.clicked(event));
    for (const button of form.querySelectorAll("[data-by-hand]")) button.hidden = true;
  }

  /** A conflict waits for a choice: until then nothing is saved by itself. */
  hasConflict() {
    return Boolean(this.form.querySelector("#draft-conflict .conflict"));
  }

  /** The way to a choice that waits leads up the page, and to no other address. */
  clicked(event) {
    if (!event.target.closest?.('a[href="#draft-conflict"]')) return;
    event.preventDefault();
    const conflict = this.form.querySelector("#draft-conflict .conflict");
    conflict?.scrollIntoView({ block: "start" });
    conflict?.focus();
  }

  typed() {
    this.isTyped = true;
    this.form.dataset.typed = "1";
    this.later(KEEP_MS);
  }

  later(ms) {
    clearTimeout(this.timer);
    this.timer = this.isStopped ? null : setTimeout(() => this.keep(), ms);
  }

  /** Save now; whoever waits for it knows afterwards by `data-typed` whether all of it is saved. */
  async keep() {
    clearTimeout(this.timer);
    this.timer = null;
    this.sending ??= this.send().finally(() => { this.sending = null; });
    await this.sending;
  }

  /** Save what is not saved yet, before somebody leaves. */
  async settle() {
    if (this.sending) await this.sending;
    if (this.timer) await this.keep();
  }

  async send() {
    this.isTyped = false;
    this.say(this.form.dataset.saving);
    const body = new FormData(this.form);
    body.set("then", "keep");
    let answer = null, kept = null;
    try {
      const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS);
      answer = await fetch(this.form.action, { method: "POST", body, redirect: "manual", keepalive: document.hidden, signal });
      kept = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("kept");
    } catch { /* the network is away */ }
    if (kept) this.show(kept, answer.ok);
    else {
      this.say(answer?.type === "opaqueredirect" ? this.form.dataset.signedOut : this.form.dataset.away, true);
      this.later(AGAIN_MS);
    }
    if (this.isTyped) this.later(KEEP_MS);
  }

  show(kept, isSaved) {
    this.form.elements.base.value = kept.dataset.base;
    this.errors(kept.querySelectorAll("#draft-errors > li"), isSaved);
    for (const part of kept.querySelectorAll(":scope > [id]")) this.put(part);
    this.isStopped = this.hasConflict();
    if (isSaved) {
      if (!this.isTyped) delete this.form.dataset.typed;
      this.form.dispatchEvent(new Event("laurel:saved", { bubbles: true }));
    }
    this.aloud(isSaved ? "" : this.editor.querySelector("#draft-said").textContent.trim().replace(/\s+/g, " "));
  }

  /** Put a part of the answer in the place of the old one; who stood on its button stays there. */
  put(part) {
    const old = this.editor.querySelector(`#${part.id}`);
    if (!old) return;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(part);
    if (hadFocus) part.querySelector("button, a")?.focus();
    part.dispatchEvent(new Event("laurel:replaced", { bubbles: true }));
  }

  errors(found, isSaved) {
    for (const old of this.form.querySelectorAll(".field-wrong")) {
      old.classList.remove("field-wrong");
      old.querySelector(".field-error")?.remove();
      old.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
    }
    if (isSaved) this.form.querySelector(".editor-body > .message-bad")?.remove();
    for (const one of found) {
      const input = document.getElementById(one.dataset.field);
      const field = input?.closest(".field");
      if (!field) continue;
      const told = Object.assign(document.createElement("p"), { className: "meta field-error", id: `${input.id}_error`, textContent: one.textContent });
      field.classList.add("field-wrong");
      field.append(told);
      input.setAttribute("aria-invalid", "true");
      const described = new Set((input.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean).concat(told.id));
      input.setAttribute("aria-describedby", [...described].join(" "));
    }
  }

  say(text, isAloud = false) {
    const said = this.editor.querySelector("#draft-said");
    if (said) said.textContent = text;
    this.aloud(isAloud ? text : "");
  }

  /** Only what went wrong is read aloud: that all is well would be said at every pause. */
  aloud(text) {
    const aloud = this.form.querySelector("#draft-aloud");
    if (aloud && aloud.textContent !== text) aloud.textContent = text;
  }

  /** No answer came to a button: what was typed is still there, and is saved by itself as before. */
  failed(form) {
    this.isStopped = this.hasConflict();
    if (form === this.form || "typed" in this.form.dataset) this.typed();
    this.say(this.form.dataset.away, true);
  }

  /** A button waits for what is on its way: it would find the achievement changed by that. */
  submitted(event) {
    clearTimeout(this.timer);
    this.timer = null;
    if (!this.sending) {
      this.isStopped = true;
      if (event.target === this.form) delete this.form.dataset.typed;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const { target: { id }, submitter } = event;
    this.sending.finally(() => {
      clearTimeout(this.timer);
      const form = id && document.getElementById(id);
      if (form) form.requestSubmit(submitter?.isConnected ? submitter : undefined);
    });
  }
}

/** Keeps what is typed of a new achievement in this tab, until there is a draft that has it. */
class NewKeeper {
  constructor(form) {
    this.form = form;
    this.place = `laurel-new ${form.action}`;
    if (!form.querySelector(".message-bad")) this.restore();
    let timer;
    form.addEventListener("input", (event) => {
      if ("skip" in event.target.dataset) return;
      form.dataset.typed = "1";
      clearTimeout(timer);
      timer = setTimeout(() => this.store(), NEW_MS);
    });
    form.addEventListener("submit", () => { clearTimeout(timer); this.store(true); delete form.dataset.typed; });
  }

  /** Forget what became a draft: its editor is shown instead of the form that was sent. */
  static forgetSent() {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith("laurel-new ") && JSON.parse(sessionStorage.getItem(name)).isSent) sessionStorage.removeItem(name);
    }
  }

  failed(form) {
    if (form === this.form) this.form.dataset.typed = "1";
    this.store();
    this.form.querySelector("#draft-said").textContent = this.form.dataset.notSent;
  }

  store(isSent = false) {
    const typed = [...new FormData(this.form)].filter(([name]) => name !== "csrfmiddlewaretoken");
    sessionStorage.setItem(this.place, JSON.stringify({ isSent, typed }));
  }

  restore() {
    const kept = JSON.parse(sessionStorage.getItem(this.place) ?? "null");
    if (!kept) return;
    const values = new Map(kept.typed.map(([name]) => [name, []]));
    for (const [name, value] of kept.typed) values.get(name).push(value);
    for (const button of this.form.querySelectorAll("[data-more-lines]")) {
      const names = linesOf(button).map((line) => line.querySelector("[name]").name);
      for (let there = names.length; there < (values.get(names[0])?.length ?? 0); there++) addLine(button);
    }
    for (const field of this.form.elements) {
      if (!field.name || field.name === "csrfmiddlewaretoken" || field.type === "submit") continue;
      const own = values.get(field.name) ?? [];
      if (field.type === "checkbox") field.checked = own.includes(field.value);
      else if (own.length) field.value = own.shift();
    }
    this.form.dataset.typed = "1";
    this.form.querySelector("#draft-said").textContent = this.form.dataset.again;
  }

  /** Nothing is lost by leaving for another page of this tab. */
  async settle() {
    if (this.form.dataset.typed) this.store();
    delete this.form.dataset.typed;
  }
}
