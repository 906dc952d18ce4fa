"""The content of a file on its way into a store."""

from __future__ import annotations

from dataclasses import dataclass

from backups.store import layout


@dataclass(frozen=True)
class Packed:
    """An object as it stands in a pack; who has it needs no bytes beside it, which take five times the memory."""

    id: bytes
    data: bytes  # its kind and size, and the deflated content
    size: int  # bytes of the content

    def __len__(self) -> int:
        return self.size


Content = bytes | Packed


def id_of_file(content: Content) -> str:
    """The id that a file of this content has."""
    return content.id.hex() if isinstance(content, Packed) else layout.blob_id(content)
