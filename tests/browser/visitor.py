"""Somebody with a browser: opens pages, presses buttons, and notices what a page must not do."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

SIZE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Of a configuration or a list the first lines are enough: all of them have the same colours, and axe takes seconds for
# them. The sidebar, the same on every page, is looked at with the dashboard.
RUN = """async ([tags, rules]) => {
  const options = rules.length ? {runOnly: rules} : {runOnly: tags};
  const rest = [".nc-code > :nth-child(n+12)", ".nc-diff tr:nth-child(n+12)", ".nc-table tr:nth-child(n+8)",
    "#result_list tr:nth-child(n+8)"];
  if (location.pathname !== "/admin/") rest.push("#nav-sidebar");
  const found = await axe.run({exclude: rest.filter((one) => document.querySelector(one))}, {...options, resultTypes: ["violations"]});
  return found.violations.map(one => `${one.id} (${one.impact}): ${one.nodes.slice(0, 3).map(
    node => node.html.slice(0, 160) + " | " + (node.any[0]?.message || node.all[0]?.message || "").slice(0, 160)).join(" || ")}`);
}"""
STILL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { transition: none !important; animation: none !important; }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""


class Visitor:
    """One browser window on one installation."""

    def __init__(self, browser: Any, told: dict[str, Any], **options: Any) -> None:
        """`told` is what `up` or `demo` said when it was ready."""
        self.base = told["address"].rstrip("/")
        self.told = told
        self.context = browser.new_context(viewport=SIZE, reduced_motion="reduce", **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.page.on("request", self.look_at_request)
        self.page.on("response", self.look_at_response)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.axe = files("axe_playwright_python").joinpath("axe.min.js").read_text()

    def look_at_request(self, request: Any) -> None:
        """Nothing is fetched from another host: a management network has no way out, and must tell nobody."""
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.complaints.append(f"{self.page.url} asks for {request.url}")

    def look_at_response(self, response: Any) -> None:
        """No page fails, and no file that it needs is missing."""
        if response.status >= 400:
            self.complaints.append(f"{response.url} answers {response.status}")

    def log_in(self) -> None:
        """As the administrator that the installation has made."""
        self.open("/admin/")
        self.page.fill("[name=username]", self.told["username"])
        self.page.fill("[name=password]", self.told["password"])
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url(f"{self.base}/admin/")

    def open(self, address: str) -> None:
        """A page by its address here."""
        self.page.goto(address if address.startswith("http") else self.base + address)

    def press(self, name: str) -> None:
        """The first button or link that is called so, whatever icon stands before its name."""
        called = re.compile(rf"(^|\s){re.escape(name)}$")
        page = self.page
        page.get_by_role("button", name=called).or_(page.get_by_role("link", name=called)).first.click()

    def sees(self, text: str, *, seconds: float = 20) -> None:
        """Wait until the text is on the page."""
        self.page.get_by_text(text).first.wait_for(state="visible", timeout=seconds * 1000)

    def text(self) -> str:
        """All that can be read on the page."""
        return str(self.page.locator("body").inner_text())

    def violations(self, *rules: str) -> list[str]:
        """What axe finds against WCAG AA, or against some of its rules only."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(self.axe)
        return list(self.page.evaluate(RUN, [WCAG, list(rules)]))

    def hold_still(self) -> None:
        """No colour on its way to another."""
        self.page.evaluate(STILL)
