"""The second factor in a browser: an app and a security key are set up, and the key opens the door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_every_page import looked_at
from tests.browser.visitor import Visitor
from tests.config.test_up import Installation
from tests.inventory.test_login import code_of

pytestmark = pytest.mark.long


def test_a_security_key_is_added_and_opens_the_door(browser: Any, installation: Installation, pictures: Path) -> None:
    """What no test without a browser sees: our scripts, under our own policy, against its WebAuthn."""
    told = installation.start()
    # A security key is for a name, and needs HTTPS for any but this one.
    visitor = Visitor(browser, {**told, "address": told["address"].replace("127.0.0.1", "localhost")})
    page, found = visitor.page, list[str]()
    keys = visitor.context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    keys.send("WebAuthn.addVirtualAuthenticator", {"options": kind})

    def look(name: str) -> None:
        found.extend(looked_at(visitor, name, pictures))

    visitor.log_in()
    visitor.open("/admin/second-factor/app/")
    look("password again")
    page.fill("[name=password]", visitor.told["password"])
    visitor.press("Confirm")
    look("new app")
    page.fill("[name=code]", code_of(page.locator("#authenticator_secret").input_value()))
    visitor.press("Activate")
    visitor.sees("Recovery Codes")
    look("recovery codes")
    visitor.open("/admin/second-factor/keys/add/")
    look("new key")
    visitor.press("Add")
    page.wait_for_url("**/second-factor/")
    look("second factor")
    visitor.open("/admin/second-factor/keys/")
    look("security keys")
    visitor.context.clear_cookies()
    visitor.open("/admin/")
    page.fill("[name=username]", visitor.told["username"])
    page.fill("[name=password]", visitor.told["password"])
    page.press("[name=password]", "Enter")
    visitor.sees("Use a security key")
    look("code")
    visitor.press("Use a security key")
    page.wait_for_url(f"{visitor.base}/admin/")

    assert not visitor.complaints, "\n".join(visitor.complaints)
    assert not found, "\n".join(found)
