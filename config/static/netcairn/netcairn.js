/* The keys n and p walk through the changes of a difference. Everything that our pages show works without a script. */
"use strict";

(function () {
  // The server shows times in the zone that this cookie names (config/zones.py); the page to log in sets it already.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  const secure = window.location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `netcairn_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;

  // What our charts count are whole things.
  if (window.Chart) window.Chart.defaults.scales.linear.ticks.precision = 0;

  let at = -1;

  function changes() {
    return Array.from(document.querySelectorAll("[data-change]"));
  }

  function go(step) {
    const found = changes();
    if (!found.length) return;
    at = Math.min(Math.max(at + step, 0), found.length - 1);
    found.forEach((row) => row.classList.remove("nc-here"));
    found[at].classList.add("nc-here");
    found[at].scrollIntoView({ block: "center" });
    document.querySelectorAll("[data-change-count]").forEach((place) => {
      place.textContent = `${at + 1} of ${found.length}`;
    });
  }

  function typing(target) {
    return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "n") go(1);
    if (event.key === "p") go(-1);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go]");
    if (button) go(Number(button.dataset.go));
  });

  // Django's lists of two sides name their marks without saying what they are, which a screen reader passes over.
  // They are made when the page has loaded, so this comes after.
  window.addEventListener("load", () => window.setTimeout(() => {
    document.querySelectorAll(".help-tooltip[aria-label]").forEach((mark) => mark.setAttribute("role", "img"));
    // On a phone a cell that says nothing is left out (lists.css).
    document.querySelectorAll("#result_list td").forEach((cell) => {
      if (["", "-"].includes(cell.textContent.trim()) && !cell.querySelector("*")) cell.classList.add("nc-blank");
    });
  }, 0));

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-send-at-once]");
    if (form) form.requestSubmit();
  });
})();
