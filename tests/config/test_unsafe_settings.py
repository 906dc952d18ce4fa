"""What would be unsafe where others can reach it is refused at the start; and what a browser is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from config import conf

ROOT = Path(__file__).resolve().parents[2]
GOOD = "k3J8vQz1mX5nB7cL9pR2tY4wU6aS0dF-gHjK_lZxCvBnMqWeRtYuIoP"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"debug": True, "hosts": ["backup.example.net"]}, "NETCAIRN_DEBUG"),
        ({"debug": True, "hosts": ["localhost", "backup.example.net"]}, "NETCAIRN_DEBUG"),
        ({"hosts": ["*"]}, "anybody"),
        ({"key": "secret"}, "guessed"),
        ({"key": "a" * 64}, "guessed"),
        ({"key": "django-insecure-" + GOOD}, "guessed"),
    ],
)
def test_what_is_unsafe_is_refused_in_a_sentence(given: dict[str, Any], word: str) -> None:
    """Found at the start by the operator, and not later by somebody else; and no key is quoted."""
    with pytest.raises(conf.BadEnvironment, match=word) as refusal:
        conf.refuse_unsafe(**{"debug": False, "hosts": ["backup.example.net"], "key": GOOD, **given})

    assert given.get("key", "?") not in str(refusal.value)


def test_what_is_safe_is_let_be() -> None:
    """Debugging on one's own machine, and serving others without it."""
    conf.refuse_unsafe(debug=True, hosts=list(conf.LOCAL_HOSTS), key=GOOD)
    conf.refuse_unsafe(debug=False, hosts=["backup.example.net"], key=GOOD)


def test_keys_that_are_made_are_good() -> None:
    """What is refused must never be what we make ourselves."""
    for _ in range(200):
        conf.refuse_unsafe(debug=False, hosts=["x"], key=conf.secrets.token_urlsafe(64))


@pytest.mark.long
def test_a_public_name_turns_everything_on_that_django_asks_for(tmp_path: Path) -> None:
    """One Python of its own, because settings are read once: HTTPS, HSTS, secure cookies, and no warning left."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("NETCAIRN", "DJANGO"))},
        "NETCAIRN_VAR": str(tmp_path),
        "NETCAIRN_ALLOWED_HOSTS": "backup.example.net",
        "DATABASE_URL": "postgres://nobody@192.0.2.1/none",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]

    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (told.returncode, "no issues" in told.stdout) == (0, True), told.stderr


@pytest.mark.django_db
def test_every_answer_says_where_things_may_come_from() -> None:
    """Pages, redirects, refusals and files alike."""
    for address in ("/", "/admin/login/", "/admin/nothing/"):
        headers = Client().get(address).headers
        policy = dict(one.split(" ", 1) for one in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == "'self' 'unsafe-eval'"
        assert "http" not in headers["Content-Security-Policy"]
        assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
        assert (headers["Referrer-Policy"], headers["Cross-Origin-Opener-Policy"]) == ("same-origin", "same-origin")
