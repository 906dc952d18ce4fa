"""`simulate` from outside: one process, one file, one line, and a clean end."""

from __future__ import annotations

import csv
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "simulate", *arguments]


def free_ports(count: int) -> int:
    """The first of some ports that are free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return min(int(probe.getsockname()[1]), 65_000 - count)


@pytest.mark.long
def test_a_fleet_runs_until_it_is_stopped(tmp_path: Path) -> None:
    """The file names the devices, the line says how to use it, and a signal ends all without a traceback."""
    inventory, first = tmp_path / "fleet.csv", free_ports(2)
    arguments = ("--platform", "vyos", "--count", "2", "--first-port", str(first), "--inventory", str(inventory))
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        with socket.create_connection(("127.0.0.1", first + 1), timeout=10) as sock:
            banner = sock.recv(4)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)

    assert f"devices import {inventory} --tenant lab" in line
    assert banner == b"SSH-"
    assert (process.returncode, "Traceback" in errors) == (0, False)
    assert list(csv.DictReader(inventory.open())) == [
        {
            "name": f"sim-vyos-{n + 1:04d}",
            "address": "127.0.0.1",
            "port": str(first + n),
            "platform": "vyos",
            "credential": "simulated",
        }
        for n in range(2)
    ]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"--platform": "frobnicate"}, "frobnicate"),
        ({"--fault": "frobnicate=0.1"}, "frobnicate"),
        ({"--fault": "drop=7"}, "between 0 and 1"),
        ({"--count": "0"}, "--count"),
        ({"--first-port": "65535", "--count": "2"}, "65535"),
        ({"--inventory": "/nowhere/at/all.csv"}, "/nowhere/at/all.csv"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_status_2(
    tmp_path: Path, changed: dict[str, str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever mistypes learns what, and nothing is started."""
    from django.core.management import CommandError, call_command

    usual = {
        "--platform": "vyos",
        "--count": "1",
        "--first-port": str(free_ports(1)),
        "--inventory": str(tmp_path / "f"),
    }
    arguments = [part for pair in (usual | changed).items() for part in pair]
    with pytest.raises(CommandError) as refused:
        call_command("simulate", *arguments)

    assert refused.value.returncode == 2
    assert named in str(refused.value)


def test_a_taken_port_is_wrong_use(tmp_path: Path) -> None:
    """The sentence names the port."""
    from django.core.management import CommandError, call_command

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=str(port)) as refused:
            call_command(
                "simulate", platform="vyos", count=1, first_port=port, inventory=tmp_path / "fleet.csv", fault=[]
            )

    assert refused.value.returncode == 2
