/* Saved filters of lists, kept in this browser under the list's own address: a filter is nothing but an address. */
"use strict";

(function () {
  const KEY = `netcairn-filters:${window.location.pathname}`;
  const MOST = 20;

  function saved() {
    try {
      const kept = JSON.parse(window.localStorage.getItem(KEY) || "[]");
      return Array.isArray(kept) ? kept.filter((one) => typeof one.name === "string" && typeof one.query === "string") : [];
    } catch {
      return [];
    }
  }

  function keep(filters) {
    try {
      window.localStorage.setItem(KEY, JSON.stringify(filters.slice(-MOST)));
    } catch {
      // A browser that keeps nothing shows the list without them.
    }
  }

  function current() {
    const query = new URLSearchParams(window.location.search);
    ["p", "e", "o"].forEach((name) => query.delete(name)); // page, error and order are no filters
    Array.from(query.keys()).forEach((name) => query.get(name) === "" && query.delete(name));
    return query.toString();
  }

  function entry(bar, one) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `?${one.query}`;
    link.textContent = one.name;
    if (one.query === current()) link.className = "nc-active";
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `Forget the filter ${one.name}`);
    remove.addEventListener("click", () => {
      keep(saved().filter((other) => other.name !== one.name));
      show(bar);
    });
    item.append(link, remove);
    return item;
  }

  function show(bar) {
    const filters = saved();
    const form = bar.querySelector("[data-save-filter]");
    bar.querySelector("[data-saved-list]").replaceChildren(...filters.map((one) => entry(bar, one)));
    form.hidden = !current() || filters.some((one) => one.query === current());
    bar.hidden = form.hidden && !filters.length;
  }

  function begin(bar) {
    const form = bar.querySelector("[data-save-filter]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = form.querySelector("input").value.trim();
      if (!name) return;
      keep([...saved().filter((one) => one.name !== name), { name, query: current() }]);
      show(bar);
    });
    show(bar);
  }

  function ready() {
    document.querySelectorAll("[data-saved-filters]").forEach(begin);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
