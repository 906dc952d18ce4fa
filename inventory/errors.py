"""The root of all our errors, and those of the inventory.

    NetcairnError               everything that is expected to go wrong, anywhere in the program
    `- InventoryError           with tenants, credentials, devices and platforms
       |- NotFound              nothing of that name
       |- Ambiguous             several tenants have something of that name
       |- AlreadyThere          the name is taken
       |- Invalid               a value that cannot be stored as it stands
       |- ImportRefused         a file of devices that cannot be imported; nothing of it was written
       |- UnknownPlatform       no sheet of that name
       |- BadPlatformSheet      a sheet that cannot be read or contradicts itself
       |- SecretUnreadable      a sealed secret that does not open
       |- SourceRefused         a secret that is kept elsewhere is not there, or not for us
       |- SourceUnreachable     where a secret is kept does not answer now
       `- BadSecretsKeys        the keys that seal secrets cannot be used

Each carries one sentence that names the thing and the mend, a `cause` from a closed list, and whether trying
again makes sense.
"""

from __future__ import annotations

from typing import ClassVar


class NetcairnError(Exception):
    """Something expected went wrong; its text is one sentence for the person who asked."""

    cause: ClassVar[str] = "error"
    worth_retrying: ClassVar[bool] = False


class InventoryError(NetcairnError):
    """Something is wrong with what is registered."""

    cause = "inventory"


class NotFound(InventoryError):
    """There is nothing of that name."""

    cause = "not-found"


class Ambiguous(InventoryError):
    """Several tenants have something of that name."""

    cause = "ambiguous"


class AlreadyThere(InventoryError):
    """The name is taken."""

    cause = "already-there"


class Invalid(InventoryError):
    """A value that cannot be stored as it stands."""

    cause = "invalid"


class ImportRefused(InventoryError):
    """A file of devices cannot be imported; nothing of it was written. `problems` has a sentence for each reason."""

    cause = "import-refused"

    def __init__(self, problems: list[str]) -> None:
        """Say every problem, each on a line of its own; people mend a file in one go, not row by row."""
        super().__init__("\n".join(problems))
        self.problems = problems


class UnknownPlatform(InventoryError):
    """There is no sheet for the platform."""

    cause = "unknown-platform"


class BadPlatformSheet(InventoryError):
    """A platform's sheet cannot be read, or contradicts itself."""

    cause = "bad-platform-sheet"

    def __init__(self, sentence: str, *, field: str = "") -> None:
        """`field` is the one that is wrong, where it is one."""
        super().__init__(sentence)
        self.field = field


class SecretUnreadable(InventoryError):
    """A sealed secret does not open: its key is gone, or it was sealed for another row."""

    cause = "secret-unreadable"


class BadSecretsKeys(InventoryError):
    """The keys that seal secrets are missing or malformed."""

    cause = "bad-secrets-keys"


class SourceRefused(InventoryError):
    """Vault, the environment or a file has no such secret, or does not give it to us."""

    cause = "source-refused"


class SourceUnreachable(InventoryError):
    """What keeps the secret does not answer now."""

    cause = "source-unreachable"
    worth_retrying = True
