/* A configuration on a page: a click on a number makes the address of its line, sections fold all at once, and a text
   is found in them. Sections themselves fold without this, and the browser's own search opens them. */
"use strict";

(function () {
  const NUMBER = 4.25 * 16; // pixels: the width of the numbers in netcairn.css
  const lines = (code) => Array.from(code.querySelectorAll("p, summary"));
  let found = [];
  let at = -1;

  function unfold(line) {
    for (let part = line.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  }

  document.addEventListener("click", (event) => {
    const line = event.target.closest(".nc-code p, .nc-code summary");
    if (!line || !line.id) return;
    const code = line.closest(".nc-code").getBoundingClientRect();
    const marker = line.tagName === "SUMMARY" ? NUMBER / 3 : 0; // the left third of a heading's number folds
    const x = event.clientX - code.left;
    if (event.detail === 0 || x < marker || x > NUMBER) return;
    event.preventDefault();
    window.location.hash = line.id;
  });

  function look(bar) {
    const wanted = bar.querySelector("[data-find]").value.toLowerCase();
    const code = bar.parentElement.querySelector(".nc-code");
    found.forEach((line) => line.classList.remove("nc-found", "nc-at"));
    found = wanted ? lines(code).filter((line) => line.textContent.toLowerCase().includes(wanted)) : [];
    found.forEach((line) => line.classList.add("nc-found"));
    at = -1;
    tell(bar, wanted ? `${found.length} line${found.length === 1 ? "" : "s"}` : "");
  }

  function step(bar, by) {
    if (!found.length) return;
    if (at >= 0) found[at].classList.remove("nc-at");
    at = (at + by + found.length) % found.length;
    if (at < 0) at = found.length - 1;
    unfold(found[at]);
    found[at].classList.add("nc-at");
    found[at].scrollIntoView({ block: "center" });
    tell(bar, `${at + 1} of ${found.length}`);
  }

  function tell(bar, text) {
    bar.querySelector("[data-found]").textContent = text;
  }

  function begin(bar) {
    const field = bar.querySelector("[data-find]");
    bar.hidden = false;
    field.addEventListener("input", () => look(bar));
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      step(bar, event.shiftKey ? -1 : 1);
    });
    bar.querySelectorAll("[data-find-step]").forEach((button) => {
      button.addEventListener("click", () => step(bar, at < 0 && button.dataset.findStep === "-1" ? 0 : Number(button.dataset.findStep)));
    });
    bar.querySelectorAll("[data-fold]").forEach((button) => {
      button.addEventListener("click", () => {
        bar.parentElement.querySelectorAll(".nc-code details").forEach((part) => { part.open = button.dataset.fold === "open"; });
      });
    });
  }

  function ready() {
    document.querySelectorAll("[data-find-bar]").forEach(begin);
    const named = document.getElementById(window.location.hash.slice(1));
    if (named) unfold(named);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
