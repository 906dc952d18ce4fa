"""What can go wrong with the simulator itself, one sentence each; never what a simulated device does on purpose."""


class SimulatorError(Exception):
    """The simulator cannot do what was asked of it; the sentence says why and what to do."""


class AsyncsshMissing(SimulatorError):
    """The optional SSH server library is not installed."""

    def __init__(self) -> None:
        super().__init__("The simulator needs asyncssh; install it with: pip install 'asyncssh>=2.24.1,<3'")


class UnknownPersona(SimulatorError):
    """No simulated platform has this name."""


class UnknownFault(SimulatorError):
    """No fault has this name, or its rate makes no sense."""


class PortTaken(SimulatorError):
    """A device could not get the port that was asked for."""


class EditRefused(SimulatorError):
    """A device refused a line of `Device.edit`; the configuration holds the lines before it."""
