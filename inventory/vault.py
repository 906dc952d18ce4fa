"""HashiCorp Vault, its KV store of version 2, read over HTTPS: the one door to it.

No library: two requests are all that is needed, and what must not happen (being led elsewhere, waiting for ever,
reading without end, meeting another machine than the one that was checked) is easier seen in few lines than in options.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit

from inventory.errors import SourceRefused, SourceUnreachable

SECONDS = 5.0  # for each step: connecting, sending, and each wait for an answer
MAX_BYTES = 64 * 1024
EARLIER = 30.0  # seconds before a token of an AppRole ends, a new one is asked for
TOKENS: dict[tuple[str, str], tuple[str, float]] = {}  # of AppRoles, by address and role: token, and until when
ONE_AT_A_TIME = threading.Lock()  # a login of an AppRole may be good for few uses


@dataclass(frozen=True)
class Vault:
    """One server, and who we are there: a token, or an AppRole. A file is read anew each time: an agent renews it."""

    address: str
    mount: str = "secret"
    path: str = "netcairn"  # below the mount; what we may read is below it
    namespace: str = ""
    ca_file: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    role_id: str = field(default="", repr=False)
    secret_id: str = field(default="", repr=False)
    secret_id_file: str = ""

    def where(self, tenant: str, name: str) -> str:
        """The path of a credential, as it is typed for `vault kv put`."""
        return f"{self.mount}/{self.path}/{tenant}/{name}"

    def read(self, tenant: str, name: str) -> dict[str, Any]:
        """The newest version of what is kept there. Raises SourceRefused, SourceUnreachable."""
        where = self.where(tenant, name)
        path = f"/v1/{quote(self.mount)}/data/{quote(self.path)}/{quote(tenant)}/{quote(name)}"
        try:
            found = self.ask("GET", path, what=where, token=self.current_token())
        except SourceRefused:
            if not self.role_id or TOKENS.pop((self.address, self.role_id), None) is None:
                raise
            found = self.ask("GET", path, what=where, token=self.current_token())  # it was taken back early
        data = found.get("data")
        kept = data.get("data") if isinstance(data, dict) else None
        if not isinstance(kept, dict):
            raise SourceRefused(f"Vault has no secret at {where}, or its newest version was deleted; put it there.")
        return kept

    def current_token(self) -> str:
        """By which Vault knows us. Raises SourceRefused, SourceUnreachable."""
        if not self.role_id:
            return self.token or text_of(self.token_file, "NETCAIRN_VAULT_TOKEN_FILE")
        with ONE_AT_A_TIME:
            token, until = TOKENS.get((self.address, self.role_id), ("", 0.0))
            if monotonic() >= until:
                token, seconds = self.log_in()
                TOKENS[self.address, self.role_id] = token, monotonic() + seconds - EARLIER
        return token

    def log_in(self) -> tuple[str, float]:
        """A token of the AppRole, and for how many seconds it is good."""
        secret = self.secret_id or text_of(self.secret_id_file, "NETCAIRN_VAULT_SECRET_ID_FILE")
        sent = {"role_id": self.role_id, "secret_id": secret}
        auth = self.ask("POST", "/v1/auth/approle/login", what="the AppRole", body=sent).get("auth")
        if not isinstance(auth, dict) or not isinstance(auth.get("client_token"), str):
            raise SourceRefused("Vault let the AppRole in without giving it a token; look at its method approle.")
        return auth["client_token"], float(auth.get("lease_duration") or 0)

    def ask(
        self, method: str, path: str, *, what: str, token: str = "", body: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """One request. Raises SourceRefused, SourceUnreachable; neither holds a word of what was sent or answered."""
        headers = {"X-Vault-Request": "true", "Content-Type": "application/json"}
        headers |= {"X-Vault-Token": token} if token else {}
        headers |= {"X-Vault-Namespace": self.namespace} if self.namespace else {}
        connection = self.connection()
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            text = answer.read(MAX_BYTES + 1)
        except (OSError, http.client.HTTPException) as exc:
            raise SourceUnreachable(f"Vault at {self.address} broke off ({type(exc).__name__}); try again.") from None
        finally:
            connection.close()
        return judged(answer.status, text, what=what)

    def connection(self) -> http.client.HTTPConnection:
        """To the very address that was checked. Raises SourceRefused, SourceUnreachable."""
        parts = urlsplit(self.address)
        host, secure = parts.hostname or "", parts.scheme == "https"
        if not host or not (secure or host in ("localhost", "127.0.0.1", "::1")):
            raise SourceRefused("NETCAIRN_VAULT_ADDR must begin with https://; a token goes over it.")
        port = parts.port or (443 if secure else 80)
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
        try:
            raw = socket.create_connection((checked(host, port), port), timeout=SECONDS)
            if secure:
                context = ssl.create_default_context(cafile=self.ca_file or None)
                raw = context.wrap_socket(raw, server_hostname=host)
        except ssl.SSLError as exc:
            raise SourceRefused(
                f"The certificate of Vault at {self.address} is not trusted ({exc.reason}); name its issuer's in "
                "NETCAIRN_VAULT_CA_FILE."
            ) from None
        except OSError as exc:
            raise SourceUnreachable(f"Vault at {self.address} cannot be reached ({exc.strerror or exc}).") from None
        connection.sock = raw
        return connection


def checked(host: str, port: int) -> str:
    """The address behind the name, asked for once, and refused where no Vault can be. Raises SourceRefused."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
    address = ipaddress.ip_address(str(found).partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    here = host in ("localhost", "127.0.0.1", "::1")
    if address.is_link_local or address.is_multicast or address.is_unspecified or (address.is_loopback and not here):
        raise SourceRefused(f"NETCAIRN_VAULT_ADDR names {address}, where no Vault can be.")
    return str(found)


def judged(status: int, text: bytes, *, what: str) -> dict[str, Any]:
    """What an answer holds. Raises SourceRefused, SourceUnreachable."""
    if status in (429, 472, 473) or status >= 500:
        raise SourceUnreachable(f"Vault cannot answer about {what} now (status {status}): sealed, standby or too busy.")
    if status == 404:
        raise SourceRefused(f"Vault has no secret at {what}; put it there, or correct the name.")
    if status in (400, 401, 403):
        raise SourceRefused(f"Vault refuses {what} (status {status}); look at its policy, and at our token or AppRole.")
    if status != 200:
        raise SourceRefused(f"Vault leads elsewhere for {what} (status {status}); name the server itself.")
    try:
        document = json.loads(text) if len(text) <= MAX_BYTES else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise SourceRefused(f"What answers for Vault about {what} is no Vault, or says more than 64 kB.")
    return document


def text_of(name: str, variable: str) -> str:
    """A file's text without the line's end. Raises SourceRefused."""
    try:
        return Path(name).read_text().strip()
    except OSError as exc:
        raise SourceRefused(f"The file of {variable} cannot be read ({exc.strerror}).") from None
