"""Pages of errors say what happened, and what to do."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client

from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user


def test_a_missing_page_says_where_to_look(db: None) -> None:
    """“Not Found” in plain text looks as if the program were broken."""
    client = logged_in(make_user("anna", (make_tenant(), Role.AUDITOR)))
    foreign = make_device(make_tenant("other"))

    for address in (
        "/admin/inventory/device/00000000-0000-0000-0000-000000000000/overview/",
        f"/admin/inventory/device/{foreign.pk}/overview/",
    ):
        answer = client.get(address)
        assert answer.status_code == 404 and b"Ctrl-K" in answer.content and b"other" not in answer.content


def test_a_missing_right_says_who_can_give_it(db: None) -> None:
    """Whoever is refused at night has to know whom to ask."""
    answer = logged_in(make_user("anna", (make_tenant(), Role.AUDITOR))).get("/admin/inventory/device/begin/")

    assert answer.status_code == 403 and b"tenant administrator" in answer.content


def test_a_form_without_its_token_says_so(db: None) -> None:
    """A login page that was open overnight is the usual case."""
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})

    assert answer.status_code == 403 and b"load the page again" in answer.content


@pytest.mark.parametrize("name", ["404", "403", "403_csrf", "500"])
def test_a_page_of_an_error_needs_nothing_that_may_have_failed(name: str) -> None:
    """The page of a failure must not fail."""
    assert "To the dashboard" in render_to_string(f"{name}.html")
