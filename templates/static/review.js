// The desk of a reviewer by keys. An answer is on its way while the next example is shown already: it lies in #ahead.
(() => {
  "use strict";
  const desk = document.querySelector("form[data-desk]");
  const ahead = document.getElementById("ahead");
  const example = document.getElementById("example");
  const marks = desk.querySelector(".marks");
  const dimensions = [...desk.querySelectorAll("[data-dimension]")];
  const missing = desk.querySelector("[data-missing]");
  let current = 0, busy = false, waiting = false, edited = false;
  let since = performance.now(), spent = 0;

  const at = (place) => {
    current = Math.max(0, Math.min(place, dimensions.length - 1));
    dimensions.forEach((each, index) => each.classList.toggle("current", index === current));
  };
  const chosen = (name) => desk.querySelector(`input[name="${name}"]:checked`);
  const choose = (name, value) => { desk.querySelector(`input[name="${name}"][value="${value}"]`).checked = true; };

  // Only the time in which the page is looked at counts.
  const stop = () => { if (since !== null) spent += performance.now() - since; since = null; };
  const go = () => { if (since === null) since = performance.now(); };
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : go()));

  const begin = () => {
    for (const input of marks.querySelectorAll("input:checked")) input.checked = false;
    desk.elements.comment.value = "";
    missing.textContent = "";
    edited = false;
    spent = 0;
    since = document.hidden ? null : performance.now();
    marks.hidden = !example.querySelector("input[name=item]");
    at(0);
    if (document.activeElement !== document.body) document.activeElement.blur();
  };
  const lacks = () => {
    const decision = chosen("decision");
    if (decision && decision.value === "skip") return "";
    const open = dimensions.findIndex((each) => !chosen(each.dataset.dimension));
    if (open >= 0) {
      at(open);
      return `${dimensions[open].querySelector("legend").textContent} has no score`;
    }
    return decision ? "" : "Accept, reject or skip it";
  };
  const send = () => {
    if (marks.hidden) return;
    missing.textContent = lacks();
    if (missing.textContent) return;
    if (busy) waiting = true; else htmx.trigger(desk, "submit");
  };

  desk.addEventListener("submit", (event) => {
    if (event.isTrusted) {
      event.preventDefault();
      event.stopImmediatePropagation();
      send();
    }
  }, true);
  desk.addEventListener("input", (event) => {
    if (event.target.matches("#example input, #example textarea")) edited = true;
  });
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt !== desk) return;
    stop();
    event.detail.parameters.seconds = Math.min(3600, spent / 1000).toFixed(2);
    // What is edited may be refused, so it stays in sight until it is taken.
    const next = edited ? null : ahead.querySelector("input[name=item]");
    event.detail.parameters.showing = next ? next.value : "";
  });
  document.addEventListener("htmx:beforeSend", (event) => {
    if (event.detail.elt !== desk) return;
    busy = true;
    if (event.detail.requestConfig.parameters.showing) {
      example.replaceChildren(...ahead.childNodes);
      begin();
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, requestConfig, xhr } = event.detail;
    const successful = xhr.status >= 200 && xhr.status < 400;
    if (elt === desk) {
      busy = false;
      const shown = requestConfig.parameters.showing;
      if (successful && !shown) begin();
      // Refused: what lies on the desk is asked for anew, and what was edited stays where it can be mended.
      if (!successful && xhr.status === 409) htmx.ajax("GET", desk.dataset.desk, { source: example, swap: "none" });
      if (waiting) { waiting = false; send(); }
    } else if (successful) begin();
  });

  document.addEventListener("keydown", (event) => {
    const dialog = document.getElementById("keys");
    if (dialog.open || event.altKey || event.metaKey) return;
    const box = event.target.closest("textarea, input:not([type=radio]), select");
    if (event.key === "Escape" && box) return box.blur();
    if (event.key === "Enter" && (event.ctrlKey || !event.target.closest("textarea, button, a, summary"))) {
      event.preventDefault();
      return send();
    }
    if (box || event.ctrlKey || event.repeat) return;
    const keys = {
      a: () => choose("decision", "accept"),
      r: () => choose("decision", "reject"),
      s: () => choose("decision", "skip"),
      c: () => desk.elements.comment.focus(),
      e: () => {
        const edit = example.querySelector("[data-edit]");
        if (!edit) return;
        edit.open = true;
        edit.querySelector("textarea").focus();
      },
      u: () => { if (!busy) htmx.trigger(document.querySelector("[data-undo]"), "submit"); },
      "?": () => dialog.showModal(),
      ArrowUp: () => at(current - 1),
      ArrowDown: () => at(current + 1),
    };
    if (/^[1-5]$/.test(event.key)) {
      choose(dimensions[current].dataset.dimension, event.key);
      at(current + 1);
    } else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });

  desk.classList.add("by-keys");
  for (const each of document.querySelectorAll("[data-needs-script]")) each.hidden = false;
  desk.addEventListener("focusin", (event) => {
    const mark = event.target.closest("[data-dimension]");
    if (mark) at(dimensions.indexOf(mark));
  });
  begin();
})();
