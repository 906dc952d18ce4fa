"""The audit log as somebody else can check it: JSON lines with the very text that each digest was made of.

A line holds `previous`, `text` and `digest`. SHA-256 over the bytes of `previous` (from hex) and of `text` (UTF-8) is
`digest`, and `previous` is the digest of the line before. The text itself is a JSON array: tenant, number, seconds
since 1970, by, action, about, detail.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db import connection

from inventory.audit import Break

FIRST = "00" * 32  # what the first entry continues
BATCH = 2_000
TEXT = """
    SELECT number, encode(previous, 'hex'), encode(digest, 'hex'), jsonb_build_array(
        tenant_id, number, extract(epoch FROM at), by, action, about, detail)::text
    FROM inventory_auditentry WHERE tenant_id IS NOT DISTINCT FROM %s AND number > %s ORDER BY number LIMIT %s
"""


def exported_lines(tenant_id: UUID | None) -> Iterator[str]:
    """A tenant's chain, oldest first, a line for each entry; None for the chain of what concerns no tenant."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(TEXT, [tenant_id, last, BATCH])
            rows = cursor.fetchall()
        for number, previous, digest, text in rows:
            last = number
            yield json.dumps({"previous": previous, "text": text, "digest": digest}, ensure_ascii=False) + "\n"
        if len(rows) < BATCH:
            return


def breaks_in(lines: Iterable[str]) -> Iterator[Break]:
    """Where an exported chain was tampered with, by nothing but its lines; nothing when it is whole."""
    expected = FIRST
    for place, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            previous, text, digest = (str(entry[name]) for name in ("previous", "text", "digest"))
            computed = hashlib.sha256(bytes.fromhex(previous) + text.encode()).hexdigest()
            number = int(json.loads(text)[1])
        except (ValueError, KeyError, TypeError, IndexError):
            yield Break(place, "the line cannot be read")
            continue
        if number != place:
            yield Break(place, "an entry is missing, or stands in another place")
        if previous != expected:
            yield Break(place, "it does not continue the entry before it")
        if computed != digest:
            yield Break(place, "its text was changed")
        expected = digest
