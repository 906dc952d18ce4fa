"""Reads the sheets: the modules beside this one that have a `PLATFORM`, and those of a directory of the user's own.

There is no list to edit. A sheet's module is named after its slug. A user's sheet of the same slug replaces ours, so
that a site can mend one without waiting for us. A user's sheet is Python and runs with our rights: its directory must
belong to whoever runs the program.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import logging
import pkgutil
import re
import traceback
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType

from inventory import platforms as package
from inventory.errors import BadPlatformSheet, UnknownPlatform
from inventory.platforms.sheet import Platform

logger = logging.getLogger(__name__)

_FIELD = re.compile(r"unexpected keyword argument '(\w+)'")


@dataclass(frozen=True)
class Catalogue:
    """All sheets: by slug, in order of slug; and the user's that cannot be used, each with the reason."""

    sheets: dict[str, Platform]
    broken: dict[str, str]  # slug -> a sentence that names file and reason
    theirs: dict[str, Path]  # the user's that can be used, and their files

    def get(self, slug: str) -> Platform:
        """The sheet of that slug. Raises UnknownPlatform."""
        if slug in self.sheets:
            return self.sheets[slug]
        reason = self.broken.get(slug, "Choose one that `platforms` lists.")
        raise UnknownPlatform(f"There is no platform {slug!r}. {reason}")


@cache
def read_catalogue(directory: Path | None) -> Catalogue:
    """Our sheets and those in `directory`; needs no Django. Raises BadPlatformSheet when one of ours is broken."""
    sheets = {sheet.slug: sheet for sheet in _ours()}
    broken: dict[str, str] = {}
    theirs: dict[str, Path] = {}
    for path in _files(directory):
        try:
            sheets[path.stem] = _theirs(path)
            theirs[path.stem] = path
        except BadPlatformSheet as exc:
            sheets.pop(path.stem, None)  # ours would not be what the user asked for
            broken[path.stem] = str(exc)
            logger.error("%s", exc)
    return Catalogue({slug: sheets[slug] for slug in sorted(sheets)}, broken, theirs)


@lru_cache(maxsize=512)
def one_of_ours(slug: str) -> Platform | None:
    """Our sheet of that slug, without reading the hundred others, which takes a second; None where there is none.

    Raises BadPlatformSheet.
    """
    return _sheet_in(slug) if slug in _names() else None


def _ours() -> list[Platform]:
    return [sheet for name in _names() if (sheet := _sheet_in(name))]


@cache
def _names() -> tuple[str, ...]:
    """Our modules, also those that are no sheets."""
    return tuple(name for _, name, _ in pkgutil.iter_modules(package.__path__))


def _sheet_in(name: str) -> Platform | None:
    module = importlib.import_module(f"{package.__name__}.{name}")
    return _sheet_of(module, Path(str(module.__file__))) if hasattr(module, "PLATFORM") else None


def _files(directory: Path | None) -> list[Path]:
    """The modules of a user's directory; one that is named but not there is the same as an empty one, but said."""
    if directory is None:
        return []
    if not directory.is_dir():
        logger.error("NETCAIRN_PLATFORMS_DIR names %s, which is no directory: no sheets are read from it.", directory)
        return []
    return sorted(path for path in directory.glob("*.py") if not path.name.startswith("_"))


def _theirs(path: Path) -> Platform:
    """A sheet of the user's. Raises BadPlatformSheet, which names file and reason, whatever the file does."""
    spec = importlib.util.spec_from_file_location(f"netcairn_user_platforms.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise BadPlatformSheet(f"{path} cannot be read as a platform sheet.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return _sheet_of(module, path)
    except BadPlatformSheet as exc:
        raise BadPlatformSheet(f"{path}{line_of(path, exc)} is not used: {exc}", field=exc.field) from exc
    except (Exception, SystemExit) as exc:  # somebody else's module: whatever it raises disables it, and nothing else
        raise BadPlatformSheet(f"{path}{_line_in(path, exc)} is not used: {_why(exc)}") from exc


def line_of(path: Path, wrong: BadPlatformSheet) -> str:
    """ ", line 12," of what is wrong: the text that the sentence quotes, else the first field of that name."""
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    named = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == wrong.field]
    texts = [node for node in nodes if isinstance(node, ast.Constant) and node.value != path.stem]
    here = [node for value in named for node in ast.walk(value) if isinstance(node, ast.Constant)]
    quoted = [node for node in (*here, *texts) if isinstance(node.value, str) and repr(node.value) in str(wrong)]
    return next((f", line {node.lineno}," for node in (*quoted, *named) if wrong.field), "")


def _line_in(path: Path, error: BaseException) -> str:
    """The same for what the file raised by itself."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}," if error.lineno else ""
    field = _FIELD.search(str(error)) if isinstance(error, TypeError) else None
    if field and (line := line_of(path, BadPlatformSheet("", field=field.group(1)))):
        return line
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}," if lines else ""


def _why(error: BaseException) -> str:
    """What was raised, in words."""
    if isinstance(error, SyntaxError):
        return f"it is no Python: {error.msg}."
    return f"it raises {type(error).__name__}: {error}"


def _sheet_of(module: ModuleType, path: Path) -> Platform:
    sheet = getattr(module, "PLATFORM", None)
    if not isinstance(sheet, Platform):
        raise BadPlatformSheet("It has no PLATFORM made with inventory.platforms.sheet.Platform.")
    if sheet.slug != path.stem:
        raise BadPlatformSheet(f"Its slug is {sheet.slug!r}, and its file must be {sheet.slug}.py.", field="slug")
    return sheet
