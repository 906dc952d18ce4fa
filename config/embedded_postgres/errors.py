"""What can be wrong with the embedded PostgreSQL.

All are ``django.db.OperationalError``: for Django and for our commands they mean "the database cannot be reached"::

    OperationalError
    └── EmbeddedPostgresError
        ├── ProgramsMissing     the wheel with PostgreSQL's programs is not there
        ├── WrongMajorVersion   the data belongs to another major version of PostgreSQL
        ├── NotOurs             a directory belongs to somebody else, or another server answers in our place
        └── ServerDoesNotStart  PostgreSQL was asked and said no
"""

from django.db import OperationalError


class EmbeddedPostgresError(OperationalError):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""


class ProgramsMissing(EmbeddedPostgresError):
    """PostgreSQL's programs, or what is needed to run them, are not installed."""


class WrongMajorVersion(EmbeddedPostgresError):
    """The data directory was written by another major version of PostgreSQL."""


class NotOurs(EmbeddedPostgresError):
    """A directory belongs to another user, or another server answers on our socket."""


class ServerDoesNotStart(EmbeddedPostgresError):
    """PostgreSQL could not be initialised, started or stopped."""
