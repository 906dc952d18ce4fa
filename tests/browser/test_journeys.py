"""The ten journeys that people make most, one after the other, from an empty installation to a device put back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backups.simulator import Device, DeviceSpec, Fleet
from tests.browser.visitor import Visitor
from tests.config.test_up import Installation

pytestmark = pytest.mark.long

SPECS = [DeviceSpec("cisco_ios", name="core1"), DeviceSpec("arista_eos", name="leaf1")]
CHANGE = ("interface Loopback0", "description moved to the new core")
MISTAKE = ("interface Loopback0", "description a mistake of last night")


class Journeys:
    """What somebody does in their first hour. Each leaves what the next one finds."""

    def __init__(self, visitor: Visitor, fleet: Fleet, folder: Path) -> None:
        """`folder` is where downloads go."""
        self.visitor, self.fleet, self.folder = visitor, fleet, folder
        self.device = ""  # the address of its pages

    @property
    def core(self) -> Device:
        """The device that things are done to."""
        return self.fleet[0]

    def first_run(self) -> None:
        """From nothing to the first version."""
        at, page = self.visitor, self.visitor.page
        at.log_in()
        at.sees("Nothing is here yet")
        at.press("Begin")
        told = {"tenant_name": "acme", "username": self.core.username, "password": self.core.password}
        told |= {"name": self.core.name, "address": self.core.address, "port": str(self.core.port)}
        for name, text in told.items():
            page.fill(f"[name={name}]", text)
        at.press("Test the connection and register")
        at.sees("It is registered")
        self.device = page.url.removesuffix("overview/")
        self.back_up()
        at.open(f"{self.device}overview/")
        at.sees(f"hostname {self.core.name}")

    def back_up(self) -> None:
        """One device, from its own page, watched to the end."""
        self.visitor.open(f"{self.device}overview/")
        self.visitor.press("Back up now")
        self.confirm("Back up now")

    def confirm(self, button: str) -> None:
        """The plan was read; the run is watched."""
        self.visitor.press(button)
        self.visitor.page.locator("#run .nc-state-done").wait_for()

    def import_a_file(self) -> None:
        """The others, from a CSV file, with a preview."""
        at, leaf = self.visitor, self.fleet[1]
        file = self.folder / "devices.csv"
        file.write_text(
            "name,address,port,platform,credential\n"
            f"{leaf.name},{leaf.address},{leaf.port},{leaf.platform},{self.core.username}\n"
        )
        at.open("/admin/inventory/device/import/")
        at.page.select_option("[name=tenant]", label="acme")
        at.page.set_input_files("[name=import_file]", file)
        at.press("Submit")
        at.sees(leaf.name)
        at.press("Confirm import")
        at.page.wait_for_url("**/inventory/device/")
        at.sees(leaf.name)

    def back_up_all(self) -> None:
        """Everything that a list shows, here behind a filter that was saved."""
        page = self.visitor.page
        self.visitor.open("/admin/inventory/device/?platform=arista_eos")
        page.fill("[data-save-filter] input", "only Arista")
        page.press("[data-save-filter] input", "Enter")
        self.visitor.open("/admin/inventory/device/")
        page.locator("[data-saved-list] a", has_text="only Arista").click()
        page.wait_for_url("**/?platform=arista_eos")
        assert page.locator("#result_list tbody tr").count() == 1
        page.check("#action-toggle")
        page.select_option("select[name=action]", "back_up_now")
        page.get_by_role("button", name="Run").click()
        self.confirm("Back up now")

    def see_what_changed(self) -> None:
        """An engineer changed something; by keyboard to it, in both views, and along as a patch."""
        at, page = self.visitor, self.visitor.page
        self.core.edit(CHANGE)
        self.back_up()
        at.open(f"{self.device}versions/")
        page.get_by_role("link", name="changes").first.click()
        at.sees("moved to the new core")
        page.keyboard.press("n")
        page.locator("[data-change-count]", has_text="1 of ").wait_for()
        assert page.locator(".nc-here").count() == 1
        at.press("Unified")
        with page.expect_download() as download:
            at.press("Patch")
        assert "+ description moved to the new core" in Path(download.value.path()).read_text()

    def read_a_configuration(self) -> None:
        """Folded, searched, and with an address for a line."""
        at, page = self.visitor, self.visitor.page
        at.open(f"{self.device}overview/")
        at.press("Fold all")
        line = page.get_by_text("description moved to the new core")
        assert not line.is_visible()
        page.fill("[data-find]", "moved to the new")
        page.press("[data-find]", "Enter")
        line.wait_for(state="visible")
        number = line.locator("xpath=ancestor-or-self::p")
        number.click(position={"x": 30, "y": 8})
        page.wait_for_url("**#L*")
        assert page.url.endswith(f"#{number.get_attribute('id')}")
        page.get_by_role("link", name="Who brought each line").click()
        at.sees("from 2 versions")

    def search(self) -> None:
        """Where is it, and where was it ever."""
        at, page = self.visitor, self.visitor.page
        at.open("/admin/backups/snapshot/search/")
        page.fill("[name=text]", "moved to the new core")
        page.get_by_role("button", name="Search").last.click()
        at.sees("1 device")
        page.select_option("[name=when]", "ever")
        page.get_by_role("button", name="Search").last.click()
        at.sees("Versions")
        page.get_by_role("link", name=self.core.name).first.wait_for()

    def jump(self) -> None:
        """Ctrl-K, a few letters, there."""
        at, page = self.visitor, self.visitor.page
        at.open("/admin/")
        page.wait_for_load_state()  # its script listens from then on
        page.keyboard.press("Control+k")
        page.locator("#search-input-command").press_sequentially("core")
        page.locator("#command-results-list a", has_text="core1").first.click()
        page.wait_for_url("**/overview/")

    def name_a_moment(self) -> None:
        """A checkpoint before the work begins."""
        at, page = self.visitor, self.visitor.page
        at.open("/admin/checkpoints/checkpoint/")
        at.press("New checkpoint")
        page.fill("[name=answer-message]", "before the night")
        at.press("Make it")
        at.sees("before the night")

    def compare_with_the_device(self) -> None:
        """What runs there this moment."""
        at = self.visitor
        self.core.edit(MISTAKE)
        at.open(f"{self.device}overview/")
        at.page.get_by_text("Compare").first.click()
        at.press("Compare with the device")
        at.press("Look and compare")
        at.sees("a mistake of last night", seconds=30)

    def put_it_back(self) -> None:
        """Plan, approve, change the device; it is read back, and runs the checkpoint."""
        at, page = self.visitor, self.visitor.page
        at.open(f"{self.device}checkpoints/")
        page.locator("tr", has_text="before the night").get_by_role("link").nth(1).click()
        at.press("Put back")
        at.press("Plan it")
        for step in ("Approve", "Change the device"):
            at.press(step)
            page.fill("[name=answer-typed]", self.core.name)
            at.press(step)
        at.sees("Confirmed", seconds=60)
        assert "description moved to the new core" in self.core.running_config
        at.open(f"{self.device}restores/")
        at.sees("Confirmed")

    def all(self) -> list[Callable[[], None]]:
        """In the order in which people meet them."""
        return [
            self.first_run,
            self.import_a_file,
            self.back_up_all,
            self.see_what_changed,
            self.read_a_configuration,
            self.search,
            self.jump,
            self.name_a_moment,
            self.compare_with_the_device,
            self.put_it_back,
        ]


def test_ten_journeys_from_the_first_run_to_a_restore(
    browser: Any, installation: Installation, tmp_path: Path, pictures: Path
) -> None:
    """Every part may be right, and the way through them still not be there."""
    with Fleet(SPECS, seed=7) as fleet:
        visitor = Visitor(browser, installation.start(), accept_downloads=True, timezone_id="Europe/Zurich")
        for journey in Journeys(visitor, fleet, tmp_path).all():
            try:
                journey()
            except BaseException as error:
                visitor.page.screenshot(path=pictures / f"failed-{journey.__name__}.png")
                error.add_note(f"The journey {journey.__name__} ended at {visitor.page.url}:\n{visitor.text()[:2000]}")
                raise

    assert not visitor.complaints, "\n".join(visitor.complaints)
