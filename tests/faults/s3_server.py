"""An S3 in a process of its own, which fails as it is told: ``python -m tests.faults.s3_server``.

It prints its address. `PUT /fail` with a JSON document plans one fault: from the request `at` on, `times` requests of
those that change something fail in the way of `kind`:

    kill-before, kill-after        the process `pid` is killed, before the request is carried out or after it
    500-before, 500-after          the answer is 500, and the request was not carried out, or was
    timeout-before, timeout-after  there is no answer for `seconds`
    slow                           the answer is late, but comes
    repeat                         the request is carried out twice, and answered as the second time
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from subprocess import PIPE, Popen
from typing import Any

KINDS = (
    "kill-before",
    "kill-after",
    "500-before",
    "500-after",
    "timeout-before",
    "timeout-after",
    "slow",
    "repeat",
)
BUCKET = "netcairn"

Start = Callable[..., Any]


class Failing:
    """Fails around an application."""

    def __init__(self, inner: Callable[[dict[str, Any], Start], Iterable[bytes]]) -> None:
        self.inner = inner
        self.lock = threading.Lock()
        self.plan: dict[str, Any] = {}
        self.count = self.fired = 0
        self.stopped = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if environ["PATH_INFO"] == "/fail":
            fired = self.fired
            self.plan, self.count, self.fired = json.loads(body), 0, 0
            start("200 OK", [])
            return [str(fired).encode()]
        kind = self.kind_of(environ)
        if kind.endswith("before") or kind == "slow":
            self.befall(kind)
        if kind in ("500-before", "timeout-before"):
            return failed(start)
        answer = self.carried_out(environ, body)
        if kind == "repeat":
            answer = self.carried_out(environ, body)
        if kind.endswith("after"):
            self.befall(kind)
        if kind in ("500-after", "timeout-after"):
            return failed(start)
        start(*answer[0])
        return [answer[1]]

    def kind_of(self, environ: dict[str, Any]) -> str:
        """How this request fails; empty: not at all."""
        if not self.plan or environ["REQUEST_METHOD"] not in ("PUT", "POST"):
            return ""
        with self.lock:
            self.count += 1
            is_now = self.plan["at"] <= self.count < self.plan["at"] + self.plan["times"]
            self.fired += is_now
        return str(self.plan["kind"]) if is_now else ""

    def befall(self, kind: str) -> None:
        """The part of a fault that takes time, or a life."""
        if kind.startswith("kill"):
            with suppress(ProcessLookupError):
                os.kill(self.plan["pid"], signal.SIGKILL)
        elif kind == "slow" or kind.startswith("timeout"):
            self.stopped.wait(self.plan["seconds"] / (4 if kind == "slow" else 1))

    def carried_out(self, environ: dict[str, Any], body: bytes) -> tuple[tuple[Any, ...], bytes]:
        """What the application answers; one request at a time, so that its conditions hold."""
        heard: list[tuple[Any, ...]] = []
        with self.lock:
            content = b"".join(
                self.inner(environ | {"wsgi.input": BytesIO(body)}, lambda *said: heard.append(said[:2]))
            )
        return heard[0], content


def failed(start: Start) -> Iterable[bytes]:
    """An answer that says nothing but that it went wrong."""
    start("500 Internal Server Error", [("Content-Type", "text/plain")])
    return [b"planned"]


@contextmanager
def served() -> Iterator[str]:
    """Such an S3, with a bucket; its address."""
    process = Popen([sys.executable, "-m", "tests.faults.s3_server"], stdout=PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def plan(address: str, **fault: Any) -> int:
    """Plan a fault; none: whatever comes next works. How many requests have failed since the plan before."""
    request = urllib.request.Request(f"{address}/fail", data=json.dumps(fault).encode(), method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return int(answer.read())


def main() -> None:
    """Serve until killed."""
    import logging

    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, Failing(DomainDispatcherApplication(create_backend_app)), threaded=True)
    address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    request = urllib.request.Request(f"{address}/{BUCKET}", method="PUT")  # noqa: S310
    request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request")
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
