"""What a simulated platform is: one `Persona` in one file of `personas/`, found by its name."""

from __future__ import annotations

import importlib
import pkgutil
import random
from typing import TYPE_CHECKING, Any, ClassVar

from backups.simulator import personas
from backups.simulator.console import Console
from backups.simulator.errors import UnknownPersona

if TYPE_CHECKING:
    from backups.simulator.device import Device


class Persona:
    """One network operating system: how its configuration looks, and which console its logins get."""

    slug: ClassVar[str]
    short: ClassVar[str]
    """A few letters for the names of devices."""
    console: ClassVar[type[Console]]
    saves_itself: ClassVar[bool] = False
    """Whether what runs is also what the device starts with, without a command."""

    def sample(self, name: str, size: int, rng: random.Random) -> str:
        """A realistic configuration of about `size` bytes, as the device itself would order it."""
        raise NotImplementedError

    def parse(self, text: str) -> Any:
        """The configuration as the structure that configuration mode changes."""
        raise NotImplementedError

    def render(self, tree: Any) -> str:
        """The configuration proper: the same text for the same content, whatever the order of the edits."""
        raise NotImplementedError

    def hostname(self, text: str) -> str:
        """The name in the prompt."""
        raise NotImplementedError

    def tree_hostname(self, tree: Any) -> str:
        """The same from the structure: making the text after each line of a long edit would be slow."""
        return self.hostname(self.render(tree))

    def shown(self, device: Device) -> str:
        """What the device prints when asked for its configuration: the proper one plus headers and times."""
        return device.running

    def edit_script(self, lines: list[str]) -> list[str]:
        """What an engineer types at the console, from the first prompt on, to carry out the lines."""
        raise NotImplementedError

    def lookalike(self, prompt: str) -> tuple[list[str], list[str]]:
        """Lines that put something like the prompt into the configuration, and those that take it out."""
        raise NotImplementedError

    def login_name(self, username: str) -> str:
        """The account behind what was typed as user name."""
        return username


def slugs() -> list[str]:
    """The platforms that can be simulated."""
    names = (module.name for module in pkgutil.iter_modules(personas.__path__))
    return sorted(name for name in names if not name.startswith("_"))


def persona(slug: str) -> Persona:
    """The persona of a platform. Raises UnknownPersona."""
    if slug not in slugs():
        raise UnknownPersona(f"The simulator has no platform '{slug}'; choose from: {', '.join(slugs())}.")
    found: Persona = importlib.import_module(f"{personas.__name__}.{slug}").PERSONA
    return found
