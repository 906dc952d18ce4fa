"""A recording that is given away tells nothing of whom it was made at, and still is what such a device says."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from backups.capture import read_capture, stable
from backups.errors import CannotDisguise
from backups.recording import disguised, passing_lines
from backups.simulator import DeviceSpec, Fleet
from inventory.commands import WrongUse
from inventory.platforms.disguise import Disguise
from inventory.platforms.masking import MASK, mask
from tests.factories import make_credential, make_device, make_tenant
from tests.platforms.cases import CASES, Case, read_case
from tests.sampling import sampled

KEY = b"k" * 32


@pytest.mark.parametrize("case", sampled(CASES, CASES[::3]), ids=repr)
def test_a_recording_is_read_as_the_device_was_and_holds_none_of_its_secrets(case: Case) -> None:
    """It proves a sheet only if it is what the device said; and nobody sends it who has to fear for a password."""
    recording = disguised(case.platform, case.answers, [])

    raw = {file.name: recording.files.get(f"{file.name}.raw", recording.files[file.name]) for file in case.files}
    again = read_capture(case.platform, raw, last_good={})
    assert again.good
    assert {name: recording.files[name] for name in case.stored} == dict(again.files)
    for name, content in case.stored.items():
        text, shown = content.decode("latin-1"), recording.files[name].decode("latin-1")
        hidden = {line for line in text.split("\n") if MASK in mask(case.platform, line) and line.split()[-1] != MASK}
        assert not {line for line in hidden if len(line) > 20} & set(shown.split("\n"))


def test_the_lines_that_are_no_change_are_named_in_a_recording() -> None:
    """Without them the case would fail, and whoever sent it would have to find out why."""
    for case in CASES:
        for file in case.files:
            text = file.stored.decode("latin-1")
            found = passing_lines(case.platform, text)
            later = "\n".join(found.get(line, line) for line in text.split("\n")).encode("latin-1")
            assert set(file.volatile) <= {line.encode("latin-1") for line in found}, case
            assert stable(case.platform, later) == stable(case.platform, file.stored), case


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (" ip address 10.20.0.2 255.255.255.0", " ip address 198.18.0.2 255.255.255.0"),
        (" permit 10.20.0.0 0.0.255.255", " permit 198.18.0.0 0.0.255.255"),
        (" neighbor 192.0.2.1 remote-as 65001", " neighbor 192.0.2.1 remote-as 65001"),
        (" ipv6 address 2a02:f000:230::1/64", " ipv6 address 2001:db8:0:1::1/64"),
        ("clock 12:34:56", "clock 12:34:56"),
        ("version 7.10.1", "version 7.10.1"),
    ],
)
def test_addresses_become_nobodys_and_masks_stay_masks(line: str, expected: str) -> None:
    """A configuration whose masks were replaced is none; one whose addresses were not is somebody's."""
    assert Disguise(KEY).line(line) == expected


def test_the_same_thing_gets_the_same_disguise_everywhere() -> None:
    """A configuration refers to itself: a neighbour's address must stay the one of its interface."""
    disguise = Disguise(KEY)

    assert disguise.line("address 10.1.2.3").split()[-1] == disguise.line("neighbor 10.1.2.3").split()[-1]


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        (" description Line to Mueller GmbH", "Mueller"),
        ("snmp-server location Hamburg, Speicherstrasse 4", "Hamburg"),
        ("Processor board ID FOC2232W0AB", "FOC2232W0AB"),
        ("# serial number = HB0A0ABCDEF", "HB0A0ABCDEF"),
        ("mac-address 00aa.bbcc.ddee", "00aa.bbcc.ddee"),
        ("contact noc@mueller.example.org", "mueller"),
        ("ip domain name mueller.de", "mueller"),
    ],
)
def test_what_names_the_owner_is_replaced(line: str, gone: str) -> None:
    """A password is not all that a configuration tells of a company."""
    assert gone not in Disguise(KEY).line(line)


def test_names_that_are_known_are_replaced_wherever_they_stand() -> None:
    """The host name is in prompts, banners and comments."""
    disguise = Disguise(KEY)
    disguise.learn_names("hostname berlin-acc-12\nusername anna privilege 15\n", "acme")

    assert disguise.line("! berlin-acc-12 of acme, changed by anna").count("-") == 2
    assert not {"berlin-acc-12", "acme", "anna"} & set(disguise.line("berlin-acc-12 acme anna").split())


def test_a_recording_that_would_keep_a_secret_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better no fixture than one password in a public repository."""
    case = next(case for case in CASES if case.platform.slug == "cisco_ios")
    monkeypatch.setattr(Disguise, "left_in", lambda *_: 1)

    with pytest.raises(CannotDisguise, match="1 secrets would still stand"):
        disguised(case.platform, case.answers, [])


@pytest.mark.django_db
def test_a_live_device_becomes_a_case_that_the_tests_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One command, and whoever has the box can send what the sheet lacks."""
    pytest.importorskip("asyncssh", reason="the simulated devices need asyncssh")
    tenant = make_tenant("mueller")
    with Fleet([DeviceSpec("cisco_ios")]) as fleet:
        credential = make_credential(tenant, username=fleet[0].username)
        credential.set_password(fleet[0].password)
        credential.set_enable_secret(fleet[0].enable_secret)
        credential.save()
        make_device(tenant, name="edge9", address=fleet[0].address, port=fleet[0].port, credential=credential)
        out = StringIO()

        call_command("record_session", "edge9", to=tmp_path, name="sim_17", json=True, stdout=out, stderr=StringIO())

    case = read_case(Path(json.loads(out.getvalue())["place"]))
    assert dict(read_capture(case.platform, case.answers, last_good={}).files) == case.stored
    assert fleet[0].name.encode() not in b"".join(case.stored.values())


@pytest.mark.django_db
def test_a_recording_never_overwrites_another(tmp_path: Path) -> None:
    """What was read through and is about to be sent must not change under the hand."""
    make_device(make_tenant(), name="edge9")
    (tmp_path / "cisco_ios" / "recorded").mkdir(parents=True)

    with pytest.raises(WrongUse, match="exists already"):
        call_command("record_session", "edge9", to=tmp_path, stdout=StringIO(), stderr=StringIO())
