"""Whether what a sheet says is of the kind that its fields are declared with. Pure.

Python does not look: a tuple that lacks its comma is a text, whose letters would be taken for patterns one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def misfits(thing: Any) -> Iterator[tuple[str, str]]:
    """What in a sheet, or in a part of one, is of another kind than declared: (field, reason)."""
    declared: Any = type(thing)
    hints = _hints(declared)
    for field in fields(thing):
        yield from _misfits(field.name, getattr(thing, field.name), hints[field.name])


@cache
def _hints(declared: Any) -> dict[str, Any]:
    return get_type_hints(declared)


def _misfits(field: str, value: object, hint: Any) -> Iterator[tuple[str, str]]:
    """The same for one value of a field."""
    origin, choices = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        fitting = [choice for choice in choices if isinstance(value, choice)]
        yield from _misfits(field, value, fitting[0] if fitting else choices[0])
    elif origin is Literal:
        if value not in choices:
            yield field, f"must be {_or(choices)}, not {value!r}"
    elif origin is tuple:
        yield from _in_tuple(field, value, choices)
    elif not isinstance(value, (int, float) if hint is float else hint):
        yield field, f"must be {_named(hint)}, not {value!r}"
    elif is_dataclass(hint):
        yield from misfits(value)


def _in_tuple(field: str, value: object, kinds: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """A field of several values: all of one kind, or as many as there are kinds."""
    if isinstance(value, str):
        yield field, f"must be several in brackets, each with a comma behind it: ({value!r},)"
    elif not isinstance(value, tuple):
        yield field, f"must stand in round brackets, not be {_named(type(value))}"
    elif Ellipsis not in kinds and len(value) != len(kinds):
        yield field, f"must have {len(kinds)} values, not {len(value)}"
    else:
        each = (kinds[0],) * len(value) if Ellipsis in kinds else kinds
        for one, kind in zip(value, each, strict=True):
            yield from _misfits(field, one, kind)


def _or(choices: tuple[Any, ...]) -> str:
    *first, last = (repr(choice) for choice in choices)
    return f"{', '.join(first)} or {last}" if first else last


def _named(kind: type) -> str:
    words = {str: "a text", float: "a number", int: "a whole number", bool: "True or False", list: "a list"}
    return words.get(kind, f"a {kind.__name__}")
