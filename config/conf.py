"""The environment, read once at the door: every variable of `docs/environment.md` and nothing else."""

from __future__ import annotations

import base64
import os
import re
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
KEY_LENGTH, KEY_CHARACTERS = 50, 12  # as many, and as different ones, as random ones have at the very least
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class BadEnvironment(Exception):
    """A variable of the environment cannot be used as it stands."""


def flag(name: str, *, default: bool = False) -> bool:
    """A yes-or-no variable; anything but 1/true/yes/on and 0/false/no/off is refused."""
    text = os.environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    raise BadEnvironment(f"{name} is {text!r}; set it to 1 or 0.")


def one_of(name: str, *choices: str) -> str:
    """A variable that is one of a few words; the first is meant where it is not set."""
    text = os.environ.get(name, "").strip().lower() or choices[0]
    if text not in choices:
        raise BadEnvironment(f"{name} is {text!r}; set it to one of: {', '.join(choices)}.")
    return text


def number(name: str, *, default: int) -> int:
    """A variable that is a whole number of 0 or more."""
    text = os.environ.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit()):
        raise BadEnvironment(f"{name} is {text!r}; set it to a number.")
    return int(text or default)


def host() -> str:
    """What this machine is called among the others: `NETCAIRN_HOST`, else its own name."""
    return os.environ.get("NETCAIRN_HOST", "").strip()[:100] or socket.gethostname()[:100]


def queue() -> str:
    """`NETCAIRN_QUEUE`: letters, digits and . _ -; empty where this machine works for nobody's site."""
    text = os.environ.get("NETCAIRN_QUEUE", "").strip()
    if text and not re.fullmatch(r"[A-Za-z0-9._-]{1,60}", text):
        raise BadEnvironment(f"NETCAIRN_QUEUE is {text!r}; it may have up to 60 letters, digits and . _ -")
    return text


def secret_of(name: str) -> str:
    """A secret from the variable itself, or from the file that the variable `<name>_FILE` names; empty for neither."""
    if text := os.environ.get(name, ""):
        return text
    named = os.environ.get(f"{name}_FILE")
    return Path(named).read_text().strip() if named else ""


def single_sign_on() -> dict[str, object]:
    """allauth's entry for the OpenID Connect provider of `NETCAIRN_OIDC_*`; empty where none is named."""
    issuer = os.environ.get("NETCAIRN_OIDC_ISSUER", "").strip()
    if not issuer:
        return {}
    client, secret = os.environ.get("NETCAIRN_OIDC_CLIENT_ID", "").strip(), secret_of("NETCAIRN_OIDC_CLIENT_SECRET")
    if not client or not secret:
        raise BadEnvironment("NETCAIRN_OIDC_ISSUER needs NETCAIRN_OIDC_CLIENT_ID and NETCAIRN_OIDC_CLIENT_SECRET too.")
    parts = urlsplit(issuer)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise BadEnvironment("NETCAIRN_OIDC_ISSUER must begin with https://: passwords' worth goes over it.")
    app = {
        "provider_id": "sso",
        "name": os.environ.get("NETCAIRN_OIDC_NAME") or "single sign-on",
        "client_id": client,
        "secret": secret,
        "settings": {"server_url": issuer.rstrip("/"), "oauth_pkce_enabled": True},
    }
    return {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}


def vault() -> dict[str, str]:
    """The Vault of `NETCAIRN_VAULT_*`, as `inventory/vault.py` wants it; empty where none is named."""
    address = os.environ.get("NETCAIRN_VAULT_ADDR", "").strip()
    names = ("mount", "path", "namespace", "ca_file", "token", "token_file", "role_id", "secret_id", "secret_id_file")
    given = {name: os.environ.get(f"NETCAIRN_VAULT_{name.upper()}", "").strip() for name in names}
    if not address:
        return {}
    if not any(given[name] for name in ("token", "token_file", "role_id")):
        raise BadEnvironment("NETCAIRN_VAULT_ADDR needs NETCAIRN_VAULT_TOKEN, ..._TOKEN_FILE or ..._ROLE_ID too.")
    return {
        "address": address.rstrip("/"),
        **{name: text.strip("/") if name in ("mount", "path") else text for name, text in given.items() if text},
    }


def object_store() -> dict[str, str]:
    """The object store of `NETCAIRN_OBJECT_STORE*` (`backups/remote/opening.py`); empty where none is named."""
    address = os.environ.get("NETCAIRN_OBJECT_STORE", "").strip().rstrip("/")
    endpoint = os.environ.get("NETCAIRN_OBJECT_STORE_ENDPOINT", "").strip().rstrip("/")
    if address and urlsplit(address).scheme not in ("s3", "gs", "az", "file"):
        raise BadEnvironment(
            f"NETCAIRN_OBJECT_STORE is {address!r}; set it to an address that begins with s3://, gs://, az:// or file:///."
        )
    return {"address": address, "endpoint": endpoint}


def object_store_mode() -> str:
    """Whether the object store has copies of the repositories (`copy`), or is where they live (`home`)."""
    mode = one_of("NETCAIRN_OBJECT_STORE_MODE", "copy", "home")
    if mode == "home" and not object_store()["address"]:
        raise BadEnvironment("NETCAIRN_OBJECT_STORE_MODE is 'home', and NETCAIRN_OBJECT_STORE names none; set it, too.")
    return mode


def var_dir() -> Path:
    """Where everything lives that is not in PostgreSQL elsewhere: `NETCAIRN_VAR`, else `var/` beside the code."""
    return Path(os.environ.get("NETCAIRN_VAR") or BASE_DIR / "var").absolute()


def allowed_hosts() -> list[str]:
    """Host names that the web server answers to; unset: this machine only."""
    named = os.environ.get("NETCAIRN_ALLOWED_HOSTS", "")
    return [host.strip() for host in named.split(",") if host.strip()] or list(LOCAL_HOSTS)


def refuse_unsafe(*, debug: bool, hosts: list[str], key: str) -> None:
    """Refuse to start where others could read errors, or forge sessions. Raises BadEnvironment.

    HTTPS needs no check of its own: with a name beyond this machine its settings are on, and nothing turns them off.
    """
    if debug and not set(hosts) <= set(LOCAL_HOSTS):
        raise BadEnvironment(
            "NETCAIRN_DEBUG shows settings and source to whoever causes an error, so it is only for this machine; "
            "unset it, or unset NETCAIRN_ALLOWED_HOSTS."
        )
    if "*" in hosts:
        raise BadEnvironment("NETCAIRN_ALLOWED_HOSTS is '*', which lets anybody choose the server's name; name it.")
    if len(key) < KEY_LENGTH or len(set(key)) < KEY_CHARACTERS or key.startswith("django-insecure-"):
        raise BadEnvironment(
            f"NETCAIRN_SECRET_KEY can be guessed: it needs {KEY_LENGTH} random characters. Unset it to have one made."
        )


def secret_key(var: Path) -> str:
    """Django's signing key: from the environment, else generated once into `var`."""
    return os.environ.get("NETCAIRN_SECRET_KEY") or kept_secret(var / "secret.key", lambda: secrets.token_urlsafe(64))


def secrets_keys(var: Path) -> list[str]:
    """Keys that seal credentials, newest first: 32 bytes each in URL-safe base64, separated by commas or line ends."""
    text = os.environ.get("NETCAIRN_SECRETS_KEYS", "")
    if not text:
        named = os.environ.get("NETCAIRN_SECRETS_KEYS_FILE")
        text = Path(named).read_text() if named else kept_secret(var / "secrets.keys", new_sealing_key)
    return [key.strip() for line in text.splitlines() for key in line.split(",") if key.strip()]


def secrets_keys_now() -> list[str]:
    """The same, read anew by a process that is running."""
    return secrets_keys(var_dir())


def new_sealing_key() -> str:
    """A fresh key for `secrets_keys`."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Read a generated secret, making it first where there is none; of two simultaneous makers one wins."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # link, not rename: it refuses to overwrite a key that another process has made meanwhile.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def database(var: Path) -> dict[str, object]:
    """Django's database entry: `DATABASE_URL` where set, else the embedded PostgreSQL below `var`."""
    url = os.environ.get("DATABASE_URL", "").strip()
    if not url:
        return {"ENGINE": "config.embedded_postgres", "NAME": "netcairn", "VAR": var}
    return from_url(url)


def from_url(url: str) -> dict[str, object]:
    """`postgres://user:password@host:port/name?option=value` as Django's entry; the host may be a socket directory."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise BadEnvironment("DATABASE_URL must begin with postgres://; Netcairn runs on PostgreSQL only.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
