"""Devices from a file: all of them or none, and every mistake at once."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from inventory.device_csv import MAX_BYTES, read_cell, read_rows, write_cell
from inventory.errors import ImportRefused
from inventory.models import Device, Tenant
from inventory.services import import_devices
from tests.factories import make_credential, make_device, make_tenant

HEAD = "name,address,port,platform,credential\n"
FULL = "name,address,port,platform,credential,site,tags,enabled\n"


def problems(data: bytes | str, tenant: Tenant | None = None, **options: Any) -> list[str]:
    """Why a file is refused."""
    raw = data.encode() if isinstance(data, str) else data
    with pytest.raises(ImportRefused) as refused:
        if tenant is None:
            read_rows(raw, **options)
        else:
            import_devices(tenant, raw, **options)
    return refused.value.problems


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "The file is empty"),
        (HEAD.encode() + b"\n,,,,\n", "no rows below its first line"),
        (b"\xff\xfen\x00", "The file is not UTF-8 (line 1)"),
        (HEAD.encode() + b"edge1,192.0.2.1,22,cisco_ios,\xe9\n", "The file is not UTF-8 (line 2)"),
        (b"PK\x03\x04\x00\x00", "zero bytes"),
        (b"x" * (MAX_BYTES + 1), "larger than 5 MB"),
        (b"name;address;port;platform;credential\n", "not separated by commas"),
        (b"name,address,platform,credential\n", "The file has no column 'port'"),
        (
            b"name,address,port,platform,credential,tag\n",
            "has a column 'tag', which is not known; did you mean 'tags'?",
        ),
        (b"name,address,port,platform,credential,id\n", "has a column 'id', which is not known; the columns are"),
        (b"name,address,port,platform,credential,Name\n", "has the column 'name' twice"),
        (HEAD.encode() + b"a,b\n", "Line 2 has 2 cells, but the first line names 5 columns."),
        (HEAD.encode() + b'a,"b\n', "Line 2 cannot be read as CSV"),
    ],
)
def test_a_file_of_the_wrong_form_gets_a_sentence(data: bytes, sentence: str) -> None:
    """A file that is read differently from how it was meant ends in wrong devices."""
    (problem,) = problems(data)
    assert sentence in problem


def test_all_that_is_wrong_with_the_first_line_is_said() -> None:
    """Not one mistake after the other, an upload each."""
    assert len(problems("name,adress,nonsense\nx,y,z\n")) == 6


def test_too_many_rows_are_refused() -> None:
    """A page has to show them."""
    assert "split it" in problems(HEAD + "a,b,1,c,d\n" * 4, max_rows=3)[0]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    """Blank lines and cells over several lines included."""
    rows = read_rows(f'{HEAD}\n"a\nb",1,2,3,4\n\nc,1,2,3,4\n'.encode())
    assert [row.line for row in rows] == [3, 6]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_a_cell_comes_back_and_is_never_a_formula(text: str) -> None:
    """A spreadsheet runs what begins with =, +, - or @; the text must not suffer by the protection."""
    written = write_cell(text.strip())
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert read_cell(written) == text.strip()


@pytest.mark.django_db
def test_devices_are_added_updated_and_left_alone() -> None:
    """A list is kept elsewhere and imported again and again."""
    tenant = make_tenant()
    lab = make_credential(tenant, "lab")
    make_device(tenant, "same", credential=lab)
    make_device(tenant, "moves", credential=lab, site="kept", tags=["kept"], enabled=False, host_key="ssh-rsa AAAA")
    text = HEAD + "same,192.0.2.1,22,cisco_ios,lab\nmoves,192.0.2.9,,cisco_ios,\nnew,::1,2022,arista_eos,lab\n"
    result = import_devices(tenant, text.encode())
    assert result.counts() == {"added": 1, "updated": 1, "unchanged": 1}
    moved, new = Device.objects.get(name="moves"), Device.objects.get(name="new")
    assert (moved.address, moved.port, moved.credential, moved.site, moved.tags) == (
        "192.0.2.9",
        22,
        None,
        "kept",
        ["kept"],
    )
    assert (moved.enabled, moved.host_key) == (False, "ssh-rsa AAAA")
    assert (new.address, new.port, new.platform, new.credential, new.enabled) == ("::1", 2022, "arista_eos", lab, True)


@pytest.mark.django_db
def test_optional_columns_are_obeyed_where_they_are_there() -> None:
    """An empty cell of a column that is there empties the field."""
    tenant = make_tenant()
    make_device(tenant, "a", site="x", tags=["x"], enabled=False)
    import_devices(tenant, (FULL + "a,192.0.2.1,22,cisco_ios,,,,\nb,192.0.2.1,22,cisco_ios,,hq,p;q p,No\n").encode())
    a, b = Device.objects.order_by("name")
    assert (a.site, a.tags, a.enabled) == ("", [], True)
    assert (b.site, b.tags, b.enabled) == ("hq", ["p", "q"], False)


@pytest.mark.django_db
def test_a_dry_run_counts_and_writes_nothing() -> None:
    """It is the question before the answer."""
    tenant = make_tenant()
    result = import_devices(tenant, (HEAD + "a,192.0.2.1,22,cisco_ios,\n").encode(), dry_run=True)
    assert (result.counts()["added"], result.dry_run) == (1, True)
    assert not Device.objects.exists()


@pytest.mark.django_db
def test_every_problem_of_every_row_is_named_and_nothing_is_written() -> None:
    """Half an import is worse than none: nobody knows which half."""
    tenant = make_tenant()
    make_credential(make_tenant("globex"), "theirs")
    text = (
        "name,address,port,platform,credential,enabled,jump_host,tags\n"
        "good,192.0.2.1,22,cisco_ios,,,,\n"
        "a b,x y,99999,cisco_ois,theirs,maybe,bastion,\n"
        "good,192.0.2.2,22,cisco_ios,,,,\n"
        ",,,,,,,\n"
        "fine,,0,,,,,\n"
        "bad name,1.2.3,70000,cisco_ios,,,,a&b\n"
        f"{'x' * 101},192.0.2.1,22,cisco_ios,,,,\n"
    )
    found = problems(text, tenant)
    assert not Device.objects.exists()
    assert [line for line in found if line.startswith("Line 3:")] == [
        "Line 3: port '99999' is not a number from 1 to 65535.",
        "Line 3: there is no platform 'cisco_ois'; did you mean 'cisco_ios'?",
        "Line 3: tenant acme has no credential 'theirs'.",
        "Line 3: enabled is 'maybe'; write yes or no.",
        "Line 3: tenant acme has no jump host 'bastion'.",
        "Line 3: 'a b' is not a usable name: letters, digits, '.', '_' and '-', with a letter or digit at both ends.",
        "Line 3: 'x y' is neither an IP address nor a host name.",
    ]
    assert "Line 4: device 'good' stands in line 2 already." in found
    assert "Line 6: the address is empty." in found
    assert "Line 6: the platform is empty." in found
    assert "Line 8: Ensure the name has at most 100 characters (it has 101)." in found
    for part in ("'bad name' is not a usable name", "'1.2.3' is neither", "65535", "'a&b' is not a usable tag"):
        assert any(line.startswith("Line 7: ") and part in line for line in found), (part, found)


@pytest.mark.django_db
def test_names_of_another_tenant_are_not_in_the_way() -> None:
    """Two customers may both have an `edge1`, and an import touches one of them."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    foreign = make_device(globex, "edge1", address="198.51.100.1")
    import_devices(acme, (HEAD + "edge1,192.0.2.1,22,cisco_ios,\n").encode())
    foreign.refresh_from_db()
    assert foreign.address == "198.51.100.1"
    assert Device.objects.filter(name="edge1").count() == 2


names = st.from_regex(r"[a-z]([a-z0-9_-]{0,8}[a-z0-9])?", fullmatch=True)
lines = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=20).map(str.strip)
tags = st.lists(st.from_regex(r"[a-z0-9][a-z0-9._:/=+-]{0,5}", fullmatch=True), unique=True, max_size=3)
cells = st.tuples(
    st.ip_addresses().map(str),
    st.integers(1, 65535),
    st.sampled_from(["cisco_ios", "arista_eos"]),
    lines,
    tags,
    st.booleans(),
)


class TestRoundTrip(TestCase):
    """Files that we write ourselves."""

    @settings(max_examples=20, deadline=None)
    @given(st.dictionaries(names, cells, min_size=1, max_size=5))
    def test_what_was_written_is_read_as_it_was(self, devices: dict[str, Any]) -> None:
        """The export of one installation is the import of the next."""
        tenant = make_tenant()
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(FULL.strip().split(","))
        for name, (address, port, platform, site, labels, enabled) in devices.items():
            row = (name, address, port, platform, "", site, " ".join(labels), "yes" if enabled else "no")
            writer.writerow([write_cell(str(cell)) for cell in row])
        import_devices(tenant, file.getvalue().encode())
        assert {
            d.name: (d.address, d.port, d.platform, d.site, d.tags, d.enabled) for d in Device.objects.all()
        } == devices
        assert set(import_devices(tenant, file.getvalue().encode()).counts().items()) >= {("unchanged", len(devices))}
