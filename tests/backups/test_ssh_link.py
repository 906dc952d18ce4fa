"""The TCP connection to a device: what goes when."""

from __future__ import annotations

import socket

from backups.ssh_link import DeviceSocket


def test_what_nobody_waits_for_goes_with_the_next_that_is_said(pair: tuple[DeviceSocket, socket.socket]) -> None:
    """A packet takes the kernel as long as all that is reckoned for it, and a handshake says several things in a row."""
    link, theirs = pair
    link.gathers = True
    link.send(b"new keys ")
    link.send(b"service request")
    link.comes(0.0)

    assert theirs.recv(99) == b"new keys service request"


def test_what_was_gathered_goes_before_what_is_not(pair: tuple[DeviceSocket, socket.socket]) -> None:
    """SSH numbers its messages: one that overtakes another ends the connection."""
    link, theirs = pair
    link.gathers = True
    link.send(b"first ")
    link.gathers = False
    link.send(b"second")

    assert theirs.recv(12, socket.MSG_WAITALL) == b"first second"
