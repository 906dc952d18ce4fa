"""What the tests of the object store share: a directory of the test's own, and one S3 for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from django.conf import LazySettings

from backups.remote.objects import Objects
from backups.remote.opening import open_objects

NUMBERS = count(1)


@pytest.fixture
def remote(settings: LazySettings, tmp_path: Path) -> Path:
    """A directory is the object store."""
    (tmp_path / "remote").mkdir()
    settings.NETCAIRN_OBJECT_STORE = f"file://{tmp_path / 'remote'}"
    return tmp_path / "remote"


@pytest.fixture
def objects(remote: Path) -> Objects:
    """That directory, opened."""
    return open_objects()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 that keeps conditions."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """A bucket of its own in that S3 is the object store."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-key")
    bucket = f"netcairn-{next(NUMBERS)}"
    boto3.client("s3", endpoint_url=s3_server, region_name="us-east-1").create_bucket(Bucket=bucket)
    settings.NETCAIRN_OBJECT_STORE = f"s3://{bucket}/prefix"
    settings.NETCAIRN_OBJECT_STORE_ENDPOINT = s3_server
    return open_objects()
