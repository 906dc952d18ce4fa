"""Looking whether git and the database agree, mending what can be mended without guessing, and filling the tables."""

from backups.fsck.checking import all_findings, check
from backups.fsck.findings import Finding

__all__ = ["Finding", "all_findings", "check"]
