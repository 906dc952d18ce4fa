"""Backups of a real router: FRRouting behind OpenSSH. Needs what `frr_router.py` needs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backups.capture import Capture, stable
from backups.collect import collect
from backups.netmiko_transport import NetmikoTransport
from backups.transport import Limits, Target
from inventory.platforms import registry
from inventory.platforms.sheet import Command, Platform, Restore
from tests.backups.frr_router import ROUTES, missing, running_router, vtysh, ways_into

MISSING = missing()
pytestmark = [pytest.mark.long, pytest.mark.frr, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

VTYSH = Platform(
    slug="frr_vtysh", label="FRRouting by vtysh", netmiko_type="cisco_ios",
    commands=(Command("show running-config", "running.cfg", complete_when=r"^end\s*$"),),
    restore=Restore("none", "for a test"), verified="system", source="this test",
    refusals=(r"^% (?:Unknown command|Command incomplete)",), frame=(r"^Building configuration\.\.\.",),
)  # fmt: skip


@pytest.fixture(scope="module")
def ways_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Target]]:
    """The router, by a login that is vtysh itself and by one that is a shell."""
    with running_router(), ways_into(tmp_path_factory.mktemp("sshd")) as ways:
        yield ways


def collected(target: Target, platform: Platform) -> Capture:
    """One visit."""
    return collect(target, platform, transport=NetmikoTransport(), limits=Limits(deadline=60)).capture


def test_a_real_routers_configuration_comes_whole(ways_in: dict[str, Target]) -> None:
    """What vtysh says through SSH, a pager and a terminal is what it says by itself."""
    capture = collected(ways_in["vtysh"], VTYSH)

    assert capture.doubts == ()
    own = vtysh("show running-config").encode()
    kept = capture.files["running.cfg"]
    assert kept.strip() == own.partition(b"Building configuration...\n")[2].strip()
    assert kept.count(b"ip route 10.") == ROUTES


def test_a_real_router_answers_twenty_at_once(ways_in: dict[str, Target]) -> None:
    """Twenty runs that meet on one device are twenty whole answers."""
    with ThreadPoolExecutor(20) as pool:
        captures = list(pool.map(lambda _: collected(ways_in["vtysh"], VTYSH), range(20)))

    assert len({capture.digest for capture in captures}) == 1
    assert all(capture.good for capture in captures)


def test_a_change_on_a_real_router_is_seen(ways_in: dict[str, Target]) -> None:
    """The digest follows the configuration, and nothing else."""
    before = collected(ways_in["vtysh"], VTYSH).digest
    vtysh("configure terminal", "ip route 203.0.113.0/24 Null0")

    changed = collected(ways_in["vtysh"], VTYSH).digest
    vtysh("configure terminal", "no ip route 203.0.113.0/24 Null0")

    assert changed != before
    assert collected(ways_in["vtysh"], VTYSH).digest == before


def test_a_linux_host_is_collected_by_shell_and_sftp(ways_in: dict[str, Target]) -> None:
    """One login gives the router's configuration and the files beside it."""
    platform = registry.platform("linux")

    capture = collected(ways_in["shell"], platform)

    assert capture.doubts == ()
    own = vtysh("show running-config").encode()
    assert stable(platform, capture.files["frr.conf"]).strip() == stable(platform, own).strip()
    assert capture.files["hosts"] == Path("/etc/hosts").read_bytes()
