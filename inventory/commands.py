"""What every command shares: `--json`, tables, one sentence for an error, and finding things by name.

Exit status: 0 done, 1 refused by the world or done in part, 2 wrong use.
"""

from __future__ import annotations

import difflib
import getpass
import json
import os
import sys
import unicodedata
from argparse import SUPPRESS, _SubParsersAction
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from django.utils.module_loading import import_string
from psycopg.errors import UndefinedColumn, UndefinedTable

from inventory.errors import Ambiguous, NetcairnError, NotFound
from inventory.models import Device, Tenant

JSON_HELP = "Print one JSON document instead of a table."


class WrongUse(CommandError):
    """The command was called in a way that cannot mean anything; exit status 2."""

    def __init__(self, sentence: str) -> None:
        """Say in one sentence how it is called instead."""
        super().__init__(sentence, returncode=2)


@dataclass(frozen=True)
class Table:
    """Rows for people. Numbers stand right, everything else left; control characters of devices are made visible."""

    headings: Sequence[str]
    rows: Sequence[Sequence[object]]
    empty: str = "Nothing to show."

    def __str__(self) -> str:
        if not self.rows:
            return self.empty
        cells = [[cell_text(cell) for cell in row] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(self.headings, *cells, strict=True)]
        right = [all(is_number(row[at]) for row in self.rows) for at in range(len(widths))]
        lines = [list(self.headings), ["-" * width for width in widths], *cells]
        return "\n".join(aligned(line, widths, right) for line in lines)


def is_number(cell: object) -> bool:
    """Whether a cell is a number, or nothing where a number would stand."""
    return cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool))


def aligned(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """One line of a table."""
    padded = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()


def cell_text(cell: object) -> str:
    """A value as people read it in one line."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, float):
        return f"{cell:.1f}"
    return visible(str(cell))


def visible(text: str) -> str:
    """The text with control and direction characters written out, so that it cannot steer the terminal it lands on."""
    return "".join(
        character if unicodedata.category(character) not in ("Cc", "Cf", "Cs") else escaped(character)
        for character in text
    )


def escaped(character: str) -> str:
    """`\\x1b` for an escape character, and so on."""
    return character.encode("unicode_escape", "surrogatepass").decode()


def json_value(value: object) -> object:
    """What `json` does not know itself: times in UTC, ids as strings, sets in order."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID | Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


class NetcairnCommand(BaseCommand):
    """A command that answers people with a table and programs with JSON, and never with a traceback."""

    requires_migrations_checks = True

    def check_migrations(self) -> None:
        """Have the tables that this version needs; whether they are made here and now is the installation's affair."""
        import_string(settings.NETCAIRN_READY_DATABASE)(tell=self.tell)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Every command takes `--json`."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help=JSON_HELP)
        return parser

    def verbs(self, parser: CommandParser) -> _SubParsersAction[CommandParser]:
        """A place for the verbs of a command like `tenant add`; the chosen one is `options["verb"]`."""
        return parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(self, verbs: _SubParsersAction[CommandParser], name: str, help_text: str) -> CommandParser:
        """One verb, which takes `--json` too."""
        parser = verbs.add_parser(name, help=help_text, description=help_text)
        # Suppressed, or the verb's default would undo a --json before it.
        parser.add_argument("--json", action="store_true", default=SUPPRESS, help=JSON_HELP)
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, and say what is expected to go wrong in one sentence."""
        self.as_json = bool(options.get("json"))
        try:
            return super().execute(*args, **options)
        except CommandError as refusal:
            self.refuse(refusal, options)
        except Ambiguous as error:
            self.refuse(WrongUse(str(error)), options, error)
        except (NetcairnError, ValidationError) as error:
            self.refuse(CommandError(sentence_of(error)), options, error)
        except (OperationalError, ProgrammingError) as error:
            self.refuse(CommandError(database_sentence(error)), options, error)
        except KeyboardInterrupt:
            self.refuse(CommandError("Interrupted.", returncode=130), options)
        except BrokenPipeError:
            # The reader (`| head`) has had enough; without this the interpreter would complain once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)

    def refuse(self, refusal: CommandError, options: Mapping[str, Any], error: BaseException | None = None) -> NoReturn:
        """End with the sentence on stderr; a program that called us in Python gets the CommandError itself."""
        if options.get("traceback") and error is not None:
            raise error
        # Django would print the class before the sentence; its system checks have a form of their own.
        if not getattr(self, "_called_from_command_line", False) or type(refusal).__name__ == "SystemCheckError":
            raise refusal from error
        self.stderr.write(str(refusal))
        sys.exit(refusal.returncode)

    def answer(self, document: object, table: Table | str) -> None:
        """Print the answer on stdout: the document with `--json`, else the table (or plain text)."""
        if self.as_json:
            self.stdout.write(json.dumps(document, default=json_value, indent=2))
        elif str(table):
            self.stdout.write(str(table))

    def tell(self, text: str) -> None:
        """A message beside the answer, on stderr."""
        self.stderr.write(text, style_func=str)


def sentence_of(error: NetcairnError | ValidationError) -> str:
    """What the error has to say."""
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)


def database_sentence(error: OperationalError | ProgrammingError) -> str:
    """What is wrong with the database, and the mend. A wrong query of ours is a bug, and raised as it is."""
    if isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
        return "The database is not up to date with this version; run the command `migrate` first."
    if isinstance(error, ProgrammingError):
        raise error
    reason = " ".join(str(error).split())
    if not os.environ.get("DATABASE_URL"):
        return reason  # the embedded server's own sentence, which says what to do
    return f"The database cannot be reached: {reason} Check DATABASE_URL, or unset it to use the embedded PostgreSQL."


def tenant_option(parser: CommandParser, *, required: bool = False) -> None:
    """Let the command take `--tenant NAME`."""
    parser.add_argument("--tenant", metavar="NAME", required=required, help="The tenant's name.")


def find_tenant(name: str) -> Tenant:
    """The tenant of that name. Raises NotFound."""
    tenant = Tenant.objects.filter(name=name).first()
    if tenant is None:
        raise NotFound(not_found("tenant", name, Tenant.objects.values_list("name", flat=True)))
    return tenant


def find_device(name: str, tenant: Tenant | str | None = None) -> Device:
    """The device of that name, in the tenant where one is given. Raises NotFound, or Ambiguous across tenants."""
    devices = Device.objects.select_related("tenant")
    if tenant is not None:
        devices = devices.filter(tenant=find_tenant(tenant) if isinstance(tenant, str) else tenant)
    found = list(devices.filter(name=name).order_by("tenant__name"))
    if not found:
        raise NotFound(not_found("device", name, devices.values_list("name", flat=True)))
    if len(found) > 1:
        owners = ", ".join(device.tenant.name for device in found)
        raise Ambiguous(f"Several tenants have a device {name!r}: {owners}; say which with --tenant.")
    return found[0]


def operator() -> str:
    """Who sits at the terminal."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user id without a name.
        return f"uid {os.getuid()}"


def not_found(kind: str, name: str, names: Iterable[str]) -> str:
    """One sentence for a name that nothing has, with the likeliest slip of the pen."""
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"`{kind}s list` shows those that exist."
    if kind == "tenant" and not near:
        hint = "`tenant list` shows those that exist."
    return f"There is no {kind} {name!r}; {hint}"
