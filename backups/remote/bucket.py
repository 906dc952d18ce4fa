"""A bucket of S3, or of what speaks like it, of Google or of Azure: the only user of obstore."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    InvalidPathError,
    NotSupportedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import from_url

from backups.remote.errors import RemoteFailed, RemoteMissing, RemoteRefused
from backups.remote.objects import Conflict, Found, Listed, Objects

CONNECTING = timedelta(seconds=5)
SHORT, LONG = timedelta(seconds=20), timedelta(minutes=10)  # for one request, and for one that carries much
MUCH = 1024 * 1024  # bytes
SAID = 200  # characters of what the other side says, in our sentence
CLOUD_ERRORS = (
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
    InvalidPathError,
    NotSupportedError,
)


class Bucket(Objects):
    """Objects below an address such as `s3://bucket/prefix`; who we are comes from the environment, as clouds have it.

    `endpoint`: the server of an S3 that is not Amazon's. `seconds`: for one request, instead of the two limits here.
    """

    def __init__(self, address: str, *, endpoint: str = "", seconds: float | None = None) -> None:
        self.address = address
        self.pid = os.getpid()
        limits = [timedelta(seconds=seconds)] * 2 if seconds else [SHORT, LONG]
        with self.translated(address):
            self.short, self.long = (self.opened(address, endpoint, limit) for limit in limits)

    def opened(self, address: str, endpoint: str, limit: timedelta) -> Any:
        """A client whose requests end in time. Trying again is for our callers."""
        client: Any = {"timeout": limit, "connect_timeout": CONNECTING, "allow_http": endpoint.startswith("http://")}
        config: Any = {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
        if (
            urlsplit(address).scheme == "s3"
            and "AWS_REGION" not in os.environ
            and "AWS_DEFAULT_REGION" not in os.environ
        ):
            config["region"] = "us-east-1"
        return from_url(address, config=config, client_options=client, retry_config={"max_retries": 0})

    def read(self, name: str) -> Found:
        """See Objects."""
        with self.translated(name):
            answer = obstore.get(self.short, name)
            meta = answer.meta
            return Found(bytes(answer.bytes()), version_of(meta), meta["last_modified"])

    def copy_to(self, name: str, file: BinaryIO) -> None:
        """See Objects."""
        with self.translated(name):
            for piece in obstore.get(self.long, name).stream(min_chunk_size=MUCH):
                file.write(piece)

    def read_part(self, name: str, start: int, length: int) -> bytes:
        """See Objects."""
        with self.translated(name):
            return bytes(obstore.get_range(self.short, name, start=start, length=length))

    def create(self, name: str, content: bytes) -> None:
        """See Objects."""
        with self.translated(name):
            obstore.put(self.client_for(content), name, content, mode="create", use_multipart=False)

    def replace(self, name: str, content: bytes, etag: str | None) -> str:
        """See Objects."""
        mode: Any = "create" if etag is None else json.loads(etag)
        with self.translated(name):
            answer = obstore.put(self.short, name, content, mode=mode, use_multipart=False)
            return version_of(answer)

    def listed(self, prefix: str) -> Iterator[Listed]:
        """See Objects."""
        with self.translated(prefix):
            for some in obstore.list(self.short, prefix=prefix, chunk_size=1000):
                for meta in some:
                    yield Listed(meta["path"], meta["size"], meta["last_modified"])

    def delete(self, names: Sequence[str]) -> None:
        """See Objects."""
        if not names:
            return
        try:
            with self.translated(names[0]):
                obstore.delete(self.short, list(names))
        except RemoteMissing:
            return

    def client_for(self, content: bytes) -> Any:
        """The client with the right patience."""
        return self.long if len(content) > MUCH else self.short

    @contextmanager
    def translated(self, name: str) -> Iterator[None]:
        """obstore's errors as ours."""
        if os.getpid() != self.pid:  # its threads are the parent's: it would wait for them for ever
            raise RemoteRefused("A client of the object store was used in a forked process; open another there.")
        try:
            yield
        except (AlreadyExistsError, PreconditionError) as exc:
            raise Conflict(name) from exc
        except FileNotFoundError as exc:
            raise RemoteMissing(f"{name} is not in the object store {self.address}.") from exc
        except CLOUD_ERRORS as exc:
            raise RemoteRefused(
                f"The object store {self.address} refuses {name}: {first_line(exc)}. Look at NETCAIRN_OBJECT_STORE "
                "and at the rights of the account."
            ) from exc
        except (BaseError, OSError, TimeoutError) as exc:
            raise RemoteFailed(f"The object store {self.address} failed at {name}: {first_line(exc)}.") from exc


def version_of(told: Mapping[str, Any]) -> str:
    """What a replacement is compared with: S3 and Azure want the etag, Google its own number of the version."""
    return json.dumps({kind: told[kind] for kind in ("e_tag", "version") if told.get(kind)})


def first_line(error: Exception) -> str:
    """What the other side said, short enough for a sentence."""
    said = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    return said[:SAID].rstrip(".")
