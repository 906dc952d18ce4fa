"""`credential add NAME --tenant T --username U`, `credential list`"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Count

from inventory.audit import record
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, operator, tenant_option
from inventory.models import Credential
from inventory.services import add_credential

STDIN_HELP = "Read it from standard input, a line for each of these options: password, enable secret, passphrase."


class Command(NetcairnCommand):
    """How to log in to devices. Secrets come from a terminal, a pipe or a file, never from the command line."""

    help = (
        "Add a credential, or list them. Secrets are never arguments: others would see them in the list of processes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        add = self.verb(verbs, "add", "Register a credential.")
        add.add_argument("name", metavar="NAME")
        tenant_option(add, required=True)
        add.add_argument("--username", metavar="USER", required=True)
        add.add_argument("--password-stdin", action="store_true", help=STDIN_HELP)
        add.add_argument("--enable-stdin", action="store_true", help="The same for the secret of the privileged mode.")
        add.add_argument("--passphrase-stdin", action="store_true", help="The same for the passphrase of --key-file.")
        add.add_argument("--key-file", metavar="FILE", type=Path, help="A private key in PEM or OpenSSH form.")
        elsewhere = [source for source in Credential.Source.values if source != Credential.Source.DATABASE]
        add.add_argument("--source", choices=elsewhere, help="Where its secrets are kept, if not here.")
        add.add_argument("--source-name", metavar="NAME", default="", help="Its name there, if it is another.")
        tenant_option(self.verb(verbs, "list", "List credentials, without their secrets."))

    def handle(self, *args: Any, **options: Any) -> None:
        """One verb."""
        if options["verb"] == "list":
            self.list_credentials(options["tenant"])
            return
        tenant = find_tenant(options["tenant"])
        source = options["source"] or Credential.Source.DATABASE
        secrets = {} if options["source"] else given_secrets(options)
        credential = add_credential(
            tenant, options["name"], options["username"], secrets, source=source, there=options["source_name"]
        )
        record(tenant, by=operator(), action="credential.added", about=credential.name)
        document = {"id": credential.pk, "tenant": tenant.name, "name": credential.name}
        self.answer(document, f"Credential {credential.name} was added to tenant {tenant.name}.")

    def list_credentials(self, tenant: str | None) -> None:
        """With which secrets each has, and how many devices use it."""
        credentials = Credential.objects.select_related("tenant").annotate(devices_n=Count("devices"))
        if tenant is not None:
            credentials = credentials.filter(tenant=find_tenant(tenant))
        rows = [
            {
                "id": credential.pk,
                "tenant": credential.tenant.name,
                "name": credential.name,
                "username": credential.username,
                "source": credential.source,
                "secrets": [name for name in Credential.SECRETS if credential.has_secret(name)],
                "devices": credential.devices_n,
                "changed_at": credential.changed_at,
            }
            for credential in credentials.order_by("tenant__name", "name")
        ]
        headings = ("tenant", "name", "username", "kept", "secrets", "devices", "changed")
        told = ("tenant", "name", "username", "source")
        shown = [
            (*(row[one] for one in told), ", ".join(row["secrets"]), row["devices"], row["changed_at"]) for row in rows
        ]
        empty = "There are no credentials yet; add one with `credential add`."
        self.answer({"credentials": rows}, Table(headings, shown, empty))


def given_secrets(options: dict[str, Any]) -> dict[str, str]:
    """The secrets, from wherever the options say; without any option, from the terminal."""
    secrets = {}
    if options["key_file"] is not None:
        secrets["private_key"] = key_text(options["key_file"])
    if options["password_stdin"]:
        secrets["password"] = stdin_line("password")
    if options["enable_stdin"]:
        secrets["enable"] = stdin_line("enable secret")
    if options["passphrase_stdin"]:
        secrets["passphrase"] = stdin_line("passphrase")
    if not secrets or (list(secrets) == ["private_key"] and sys.stdin.isatty()):
        secrets |= asked_secrets(with_key="private_key" in secrets)
    return {name: text for name, text in secrets.items() if text}


def key_text(path: Path) -> str:
    """The file's text."""
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise WrongUse(f"The key file {path} cannot be read: {reason}.") from error


def stdin_line(what: str) -> str:
    """One line of standard input, without its end."""
    line = sys.stdin.readline()
    if not line.rstrip("\r\n"):
        raise WrongUse(f"Standard input has no line for the {what}.")
    return line.rstrip("\r\n")


def asked_secrets(*, with_key: bool) -> dict[str, str]:
    """Ask a person; a program is told how to hand secrets over."""
    if not sys.stdin.isatty():
        raise WrongUse("Hand the password over with --password-stdin, or a private key with --key-file.")
    if with_key:
        return {"passphrase": getpass.getpass("Passphrase of the key (empty for none): ")}
    return {
        "password": getpass.getpass("Password: "),
        "enable": getpass.getpass("Enable secret (empty for none): "),
    }
