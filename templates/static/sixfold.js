// What pages do beyond links and forms. Loaded before the body, so that a chosen theme is there at once.
(() => {
  "use strict";
  const THEME = "sixfold-theme";
  const root = document.documentElement;

  const chosen = () => { try { return localStorage.getItem(THEME) || "system"; } catch { return "system"; } };
  const wear = (theme) => {
    if (theme === "system") root.removeAttribute("data-theme"); else root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-wear]"))
      button.setAttribute("aria-pressed", String(button.dataset.wear === theme));
  };
  wear(chosen());

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    const words = button.querySelector("[data-words]") || button;
    const before = words.textContent;
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
      words.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      words.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { words.textContent = before; }, 2000);
  };

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    if (at("[data-wear]")) {
      const theme = at("[data-wear]").dataset.wear;
      try { localStorage.setItem(THEME, theme); } catch { /* a browser that keeps nothing: for this page only */ }
      wear(theme);
    }
    if (at("[data-copy]")) copy(at("[data-copy]"));
    if (at("[data-open]")) document.getElementById(at("[data-open]").dataset.open).showModal();
    if (at("[data-close]")) at("dialog").close();
    if (at("[data-print]")) print();
    for (const menu of document.querySelectorAll("details.menu[open]"))
      if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape")
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    const typing = event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey;
    const search = document.querySelector("[data-search]");
    if (event.key === "/" && !typing && search) {
      event.preventDefault();
      search.focus();
    }
  });

  // A refusal comes as a fragment: a form that is wrong takes its place again, anything else is said at the top.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status < 400) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    if (event.detail.xhr.status !== 422 || event.detail.xhr.responseText.includes('class="problem"')) {
      event.detail.target = document.getElementById("said");
      event.detail.swapOverride = "innerHTML";
    }
  });
  // A part that asks for itself again stays where it was scrolled to.
  const scrolled = new Map();
  document.addEventListener("htmx:beforeSwap", () => {
    for (const box of document.querySelectorAll(".scrolls[id]")) scrolled.set(box.id, box.scrollLeft);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, left] of scrolled) { const box = document.getElementById(id); if (box) box.scrollLeft = left; }
    scrolled.clear();
  });
  const unreachable = () => {
    const box = document.createElement("div");
    box.className = "problem";
    box.setAttribute("role", "alert");
    box.textContent = "The server does not answer. Nothing was lost; try again in a moment.";
    document.getElementById("said").replaceChildren(box);
  };
  document.addEventListener("htmx:sendError", unreachable);
  document.addEventListener("htmx:timeout", unreachable);

  document.addEventListener("DOMContentLoaded", () => {
    wear(chosen());
    document.querySelector(".faults")?.focus();
  });
})();
