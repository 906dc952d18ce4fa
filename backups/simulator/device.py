"""One simulated device: what it holds, what was asked of it, and what a test may do to it. No SSH in here."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from backups.simulator.clock import Clock
from backups.simulator.errors import EditRefused
from backups.simulator.faults import OF_THE_STATE, Fault, FaultBox, FaultDraw
from backups.simulator.hostkeys import public_line
from backups.simulator.persona import Persona, persona


@dataclass(frozen=True)
class DeviceSpec:
    """What a device is made from. Everything but the platform has a default.

    `size` is the length of the configuration in bytes, about; `config` replaces the generated one.
    `enable_secret` empty means that a login is privileged at once. `latency` is in seconds for each answer to a
    command; `round_trip` for whatever a client says, the handshake too, as on a long line.
    `authorized_key` is a public key line that may log in besides the password. `legacy_kex` offers only
    Diffie-Hellman group 14, as old devices do. `port` 0 takes a free one. `keyboard_interactive` asks for the password
    in a dialogue only; `forwards` lets connections through to other hosts, as jump hosts do.
    """

    platform: str = "cisco_ios"
    name: str = ""
    username: str = "admin"
    password: str = "simulated"  # noqa: S105 - it opens nothing but this fake
    enable_secret: str = ""
    size: int = 12_000
    config: str = ""
    address: str = "127.0.0.1"
    port: int = 0
    latency: float = 0.0
    round_trip: float = 0.0
    authorized_key: str = ""
    legacy_kex: bool = False
    keyboard_interactive: bool = False
    forwards: bool = False
    faults: tuple[Fault | str, ...] = ()


@dataclass(frozen=True)
class LoginAttempt:
    """Somebody tried a password or a key. What was tried is not kept."""

    username: str
    method: str
    accepted: bool


@dataclass(frozen=True)
class Timer:
    """Something a device will do by itself at a time."""

    due: datetime
    act: Callable[[], None]


@dataclass(eq=False)
class Device:
    """The state of one device. Every public name may be used from any thread.

    `log` holds the command lines that came over SSH, in order; `password_attempts` every try to log in with a password;
    `logins` counts accepted connections, `sessions` those open now, `connections` every TCP connection accepted.
    """

    spec: DeviceSpec
    index: int = 0
    seed: int = 0
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._news = threading.Condition(self.lock)
        self.persona: Persona = persona(self.spec.platform)
        self.platform = self.spec.platform
        self.name = self.spec.name or f"{self.persona.short}-{self.index + 1:04d}"
        self.username = self.spec.username
        self.password = self.spec.password
        self.enable_secret = self.spec.enable_secret
        self.address = self.spec.address
        self.port = self.spec.port
        self.log: list[str] = []
        self.attempts: list[LoginAttempt] = []
        self.logins = self.sessions = self.connections = self.forwarded = 0
        self.files: dict[str, bytes] = {}
        self.history: list[str] = []
        self.memory: dict[str, Any] = {}
        self.timer: Timer | None = None
        self.changed_at = self.saved_at = self.clock.now()
        self.changed_by = self.saved_by = self.username
        self._text: str | None = self.spec.config or None
        self._tree: Any = None
        self._startup: str | None = None
        self._rng = random.Random(f"{self.seed}/{self.index}/faults")  # noqa: S311 - reproducible on purpose  # nosec B311
        self._faults = FaultBox(self._rng)
        self._hostname: tuple[str, str] | None = None
        self._before_lockout: str | None = None
        if self.spec.faults:
            self.set_faults(*self.spec.faults)

    # The configuration

    @property
    def running(self) -> str:
        """The running configuration proper, with everything that the device keeps."""
        with self.lock:
            if self._text is None:
                self._text = self._sample() if self._tree is None else self.persona.render(self._tree)
            return self._text

    @running.setter
    def running(self, text: str) -> None:
        with self.lock:
            self._keep_startup()
            self._text, self._tree = text, None
            self.changed_at = self.clock.now()

    def tree(self) -> Any:
        """The running configuration as a structure; after changing it, call `tree_changed`."""
        with self.lock:
            if self._tree is None:
                self._tree = self.persona.parse(self.running)
            return self._tree

    def tree_changing(self, username: str) -> None:
        """The structure is about to change: the text will be made again when somebody asks for it."""
        with self.lock:
            self._keep_startup()
            self.tree()
            self._text = None
            self.changed_at, self.changed_by = self.clock.now(), username

    def drop_tree(self) -> None:
        """Keep the text only; a thousand structures would cost much memory."""
        with self.lock:
            if self._tree is not None:
                self._text, self._tree = self.running, None

    @property
    def startup(self) -> str:
        """The saved configuration."""
        with self.lock:
            return self.running if self._startup is None or self.persona.saves_itself else self._startup

    def save(self, username: str, text: str | None = None) -> None:
        """Make the running configuration (or the given text) the one to start with."""
        with self.lock:
            self._startup = self.running if text is None else text
            self.saved_at, self.saved_by = self.clock.now(), username

    def _keep_startup(self) -> None:
        # Until the first change both are the same text, which need not be made before somebody asks for it.
        if self._startup is None:
            self._startup = self.running

    def _sample(self) -> str:
        rng = random.Random(f"{self.seed}/{self.index}")  # noqa: S311 - reproducible on purpose  # nosec B311
        return self.persona.sample(self.name, self.spec.size, rng)

    # For tests, benchmarks and the demo

    @property
    def running_config(self) -> str:
        """The configuration proper: no header, nothing that differs from one look to the next, `\\n` line ends."""
        with self.lock:
            self.settle()
            return self.running

    @property
    def startup_config(self) -> str:
        """The saved configuration."""
        with self.lock:
            self.settle()
            return self.startup

    @property
    def running_config_output(self) -> str:
        """What the device would print now when asked for its configuration: headers, times and the proper one."""
        with self.lock:
            self.settle()
            return self.persona.shown(self)

    @property
    def hostname(self) -> str:
        """The name in the prompt."""
        with self.lock:
            self.settle()
            if self._text is None and self._tree is not None:
                return self.persona.tree_hostname(self._tree)
            text = self.running
            # Each prompt asks, and the text may be long and stays the same object for long.
            if self._hostname is None or self._hostname[0] is not text:
                self._hostname = text, self.persona.hostname(text)
            return self._hostname[1]

    @property
    def host_key(self) -> str:
        """The public key that the device presents: `ssh-ed25519 AAAA…`."""
        return public_line(self.seed, self.index, self.key_generation)

    @property
    def key_generation(self) -> int:
        """0, or 1 once the fault `hostkey` has changed the key."""
        return int(self._faults.always("hostkey"))

    @property
    def password_attempts(self) -> list[LoginAttempt]:
        """Every password that reached the device, right or wrong."""
        with self.lock:
            return [attempt for attempt in self.attempts if attempt.method == "password"]

    @property
    def commands(self) -> list[str]:
        """A copy of the log of command lines."""
        with self.lock:
            return list(self.log)

    def set_faults(self, *faults: Fault | str) -> None:
        """Replace all faults, with none by none; a text is `NAME` or `NAME=RATE`. Raises UnknownFault."""
        wanted = (Fault.parse(each) if isinstance(each, str) else each for each in faults)
        with self.lock:
            chosen = tuple(each for each in map(self._struck, wanted) if each is not None)
            before, after = self._faults.always("lookalike"), any(fault.name == "lookalike" for fault in chosen)
            if before != after:
                put, take = self.persona.lookalike(self.prompt)
                self.edit(put if after else take)
            self._before_lockout = self.running if any(fault.name == "lockout" for fault in chosen) else None
            self._faults.set(chosen)

    def _struck(self, fault: Fault) -> Fault | None:
        """A fault of the state strikes a share of the devices, and not of the connections of each."""
        if fault.name not in OF_THE_STATE:
            return fault
        return replace(fault, rate=1.0) if self._rng.random() < fault.rate else None

    def wait_for(self, condition: Callable[[Device], bool], *, seconds: float = 10) -> bool:
        """Wait until the condition holds, looked at after each connection, login, command and end; whether it does."""
        with self._news:
            return self._news.wait_for(lambda: condition(self), timeout=seconds)

    def edit(self, lines: Sequence[str] | str) -> None:
        """Change the running configuration as an engineer would at the console. Raises EditRefused."""
        wanted = lines.splitlines() if isinstance(lines, str) else list(lines)
        with self.lock:
            console = self.persona.console(self, "engineer", FaultDraw(None))
            console.at_console()
            for line in self.persona.edit_script(wanted):
                reply = console.enter(line)
                if reply.refused:
                    raise EditRefused(f"{self.name} refused '{line}': {reply.text.strip()}")

    @property
    def prompt(self) -> str:
        """The prompt of a privileged login, without trailing space."""
        console = self.persona.console(self, self.username, FaultDraw(None))
        console.at_console()
        return console.prompt.strip()

    # For the consoles and the server

    def note_connection(self) -> None:
        """TCP was accepted."""
        with self._news:
            self.connections += 1
            self._news.notify_all()

    def note_attempt(self, attempt: LoginAttempt) -> None:
        """Somebody tried to log in."""
        with self._news:
            self.attempts.append(attempt)
            self._news.notify_all()

    def note_session(self, change: int) -> None:
        """Somebody is in (1), or gone again (-1)."""
        with self._news:
            self.logins += change > 0
            self.sessions += change
            self._news.notify_all()

    def note_forward(self) -> None:
        """Somebody goes on to another host."""
        with self._news:
            self.forwarded += 1
            self._news.notify_all()

    def note_command(self, line: str) -> None:
        """A command line came."""
        with self._news:
            self.log.append(line)
            self._news.notify_all()

    def draw_faults(self) -> FaultDraw:
        """The faults of one new connection."""
        return FaultDraw(self._faults)

    def start_timer(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something in so many seconds, instead of what was to be done before."""
        self.timer = Timer(self.clock.now() + timedelta(seconds=seconds), act)

    def stop_timer(self) -> bool:
        """Forget the timer; whether there was one."""
        running, self.timer = self.timer is not None, None
        return running

    def settle(self) -> None:
        """Do what has become due. Called whenever somebody looks at the device."""
        with self.lock:
            if self.timer is not None and self.clock.now() >= self.timer.due:
                timer, self.timer = self.timer, None
                timer.act()

    @property
    def unreachable(self) -> bool:
        """Whether the fault `lockout` has struck and was not yet taken back."""
        with self.lock:
            self.settle()
            return self._before_lockout is not None and self.running != self._before_lockout
