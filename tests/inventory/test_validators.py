"""What a name, an address and a line may look like."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.validators import validate_address, validate_line, validate_name, validate_tag


def accepts(validate: object, text: str) -> bool:
    """Whether a validator lets the text pass."""
    try:
        validate(text)  # type: ignore[operator]
    except ValidationError:
        return False
    return True


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,20}[A-Za-z0-9])?", fullmatch=True))
def test_ordinary_names_pass(name: str) -> None:
    """The rule must not be in the way."""
    assert accepts(validate_name, name)


@given(st.text(max_size=30))
def test_whatever_passes_as_a_name_is_harmless_everywhere(name: str) -> None:
    """It becomes a file name in clones, a column in tables and an argument of commands."""
    if not accepts(validate_name, name):
        return
    assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    assert not name.startswith((".", "-"))
    assert Path(name).name == name
    assert name not in (".", "..")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-x", "x-", "a..b", "a b", "a/b", "x.git", "x.LOCK", "a\n", "a\0", "é", "$x"]
)
def test_names_that_mean_something_to_somebody_are_refused(name: str) -> None:
    """To git, a shell or a file system."""
    assert not accepts(validate_name, name)


@settings(max_examples=30, deadline=None)
@given(st.from_regex(r"[A-Za-z0-9._-]{1,15}", fullmatch=True))
def test_a_name_that_passes_may_be_a_part_of_a_git_ref(name: str) -> None:
    """git has rules of its own for them, and is asked itself."""
    if accepts(validate_name, name):
        done = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False)
        assert done.returncode == 0


@given(
    st.one_of(
        st.ip_addresses().map(str), st.from_regex(r"[a-z]([a-z0-9]{0,10}[a-z0-9])?(\.[a-z]{2,5}){0,3}", fullmatch=True)
    )
)
def test_addresses_and_host_names_pass(address: str) -> None:
    """IPv4, IPv6 and names; loopback too, where simulators live."""
    assert accepts(validate_address, address)


@given(st.text(max_size=40))
def test_whatever_passes_as_an_address_has_no_port_user_or_option_in_it(address: str) -> None:
    """It is handed to a resolver and into sentences."""
    if not accepts(validate_address, address):
        return
    try:
        ipaddress.ip_address(address)
    except ValueError:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", address)
        assert not address.startswith("-")
        assert ".." not in address


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "a b",
        "http://a",
        "a:22",
        "u@a",
        "1.2.3",
        "1.2.3.4.5",
        "-a",
        "a-",
        "a..b",
        "a..",
        ".",
        "x" * 64,
        "[::1]",
        "a\n",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """`1.2.3` would be read as an old spelling of another address."""
    assert not accepts(validate_address, address)


@given(st.text(max_size=40))
def test_a_line_that_passes_shows_all_of_itself(text: str) -> None:
    """Characters that turn the direction of writing make one site look like another."""
    if accepts(validate_line, text):
        assert len(text.splitlines()) <= 1
        assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\x1b")


@given(st.text(max_size=20))
def test_tags_that_pass_survive_a_list_of_tags(text: str) -> None:
    """They are written with blanks between, and read so again."""
    if accepts(validate_tag, text):
        assert f"a {text} b".replace(";", " ").replace(",", " ").split() == ["a", text, "b"]
