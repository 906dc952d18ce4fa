"""Where the secrets of a credential come from: sealed in its row, or at run time from Vault, the environment or files.

Whoever may write a credential names only its name there. Everything else of the place, the tenant above all, is settled
here: nobody fetches another tenant's passwords, or the server's own secrets, by writing down where they are.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from django.conf import settings

from inventory.errors import SourceRefused
from inventory.models import Credential
from inventory.vault import MAX_BYTES, Vault

Source = Credential.Source
VARIABLE = "NETCAIRN_CREDENTIAL_"


def secrets_of(credential: Credential) -> dict[str, str]:
    """Each of Credential.SECRETS in clear, empty where there is none.

    Raises SecretUnreadable, SourceRefused, and SourceUnreachable where trying again makes sense.
    """
    if credential.source == Source.DATABASE:
        return {
            "password": credential.password(),
            "private_key": credential.private_key(),
            "passphrase": credential.passphrase(),
            "enable": credential.enable_secret(),
        }
    read = {Source.VAULT: from_vault, Source.ENVIRONMENT: from_environment, Source.FILES: from_files}
    found = read[Source(credential.source)](credential.tenant.name, credential.named_there())
    if not found["password"] and not found["private_key"]:
        raise SourceRefused(f"There is neither a password nor a private key at {where(credential)}.")
    return found


def where(credential: Credential) -> str:
    """The place, for people: what an operator has to fill. Raises SourceRefused where this server has no such."""
    tenant, name = credential.tenant.name, credential.named_there()
    if credential.source == Source.VAULT:
        return f"Vault, {vault().where(tenant, name)}"
    if credential.source == Source.FILES:
        return f"files in {directory(tenant, name)}"
    if credential.source == Source.ENVIRONMENT:
        return f"the variables {variable(tenant, name, 'PASSWORD')}, ..._PRIVATE_KEY, ..._PASSPHRASE, ..._ENABLE"
    return "the database, sealed"


def from_vault(tenant: str, name: str) -> dict[str, str]:
    """The fields of one secret of the KV store."""
    kept = vault().read(tenant, name)
    return {secret: text_in(kept, secret) for secret in Credential.SECRETS}


def text_in(kept: dict[str, Any], secret: str) -> str:
    """One field, which must be a text."""
    value = kept.get(secret, "")
    if not isinstance(value, str):
        raise SourceRefused(f"The field {secret} in Vault is no text; put it there as one.")
    return value


def from_environment(tenant: str, name: str) -> dict[str, str]:
    """A variable for each secret."""
    return {secret: os.environ.get(variable(tenant, name, secret.upper()), "") for secret in Credential.SECRETS}


def variable(tenant: str, name: str, secret: str) -> str:
    """`NETCAIRN_CREDENTIAL_<TENANT>__<NAME>__<SECRET>`.

    What is no letter or digit becomes `_` and two hex digits, so that no two tenants share a variable.
    """
    return f"{VARIABLE}{word(tenant)}__{word(name)}__{secret}"


def word(name: str) -> str:
    """A name as a part of a variable's."""
    return re.sub(r"[^A-Z0-9]", lambda found: f"_{ord(found[0]):02X}", name.upper())


def from_files(tenant: str, name: str) -> dict[str, str]:
    """A file for each secret, as Kubernetes and systemd lay them out."""
    place = directory(tenant, name)
    if not place.is_dir():
        raise SourceRefused(f"There is no directory {place}; make it, with a file password or private_key.")
    return {secret: text_of(place / secret) for secret in Credential.SECRETS}


def directory(tenant: str, name: str) -> Path:
    """Where the files of one credential are. Raises SourceRefused."""
    if not settings.NETCAIRN_CREDENTIALS_DIR:
        raise SourceRefused("This server reads no credentials from files; set NETCAIRN_CREDENTIALS_DIR.")
    return Path(settings.NETCAIRN_CREDENTIALS_DIR) / tenant / name


def text_of(path: Path) -> str:
    """A file's text without its last line end, empty where there is no file; keys keep theirs.

    A link that leads out of the tenant's files is not followed. Raises SourceRefused.
    """
    root = path.parents[1].resolve()  # of the tenant
    if not path.exists():
        return ""
    if not path.resolve().is_relative_to(root):
        raise SourceRefused(f"{path} is a link that leads out of {root}.")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceRefused(f"{path} cannot be read ({type(exc).__name__}).") from None
    if len(text) > MAX_BYTES:
        raise SourceRefused(f"{path} is larger than 64 kB.")
    return text if path.name == "private_key" else text.removesuffix("\n").removesuffix("\r")


def vault() -> Vault:
    """The server of the settings. Raises SourceRefused where none is named."""
    if not settings.NETCAIRN_VAULT:
        raise SourceRefused("This server knows no Vault; set NETCAIRN_VAULT_ADDR.")
    return Vault(**settings.NETCAIRN_VAULT)
