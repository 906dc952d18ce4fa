"""The recorded devices once more, the way an operator collects them: through the command, into the store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from backups.capture import Capture
from backups.models import Attempt, Snapshot
from backups.store.reader import open_store
from inventory.platforms import registry
from tests.backups.test_replay import FILES, SLUGS, Recording, assert_whole, recordings
from tests.factories import make_credential, make_device, make_tenant

__all__ = ["recordings"]  # the fixture

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.replay,
    pytest.mark.skipif(not FILES, reason="there are no recorded sessions beside the project"),
]


def test_every_recorded_device_is_stored_whole(
    recordings: dict[str, Recording],
    store_root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the reader makes of a session is worth nothing if the way into the store loses a line of it."""
    tenant = make_tenant()
    credential = make_credential(tenant)
    credential.set_password("recorded")
    credential.save()
    by_name = {f"recorded-{number}": recording for number, recording in enumerate(recordings.values())}
    for name, recording in by_name.items():
        make_device(
            tenant,
            name=name,
            address="127.0.0.1",
            port=recording.port,
            platform=SLUGS[recording.model],
            credential=credential,
        )

    call_command("backup", "--json")

    attempts = json.loads(capsys.readouterr().out)["runs"][0]["attempts"]
    store = open_store(tenant.pk)
    for snapshot in Snapshot.objects.select_related("device"):
        recording = by_name[snapshot.device.name]
        files = {name: store.blob(file["blob"]) for name, file in snapshot.files.items()}
        assert_whole(recording, registry.platform(snapshot.device.platform), Capture(files, snapshot.digest, ()))
    assert {one["state"] for one in attempts} == {Attempt.State.CHANGED}, [one for one in attempts if one["detail"]]
    assert len(attempts) == len(FILES)
