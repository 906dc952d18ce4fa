"""A fleet of fake network devices that speak real SSH and hold real state.

    from backups.simulator import DeviceSpec, Fault, Fleet

    with Fleet([DeviceSpec("cisco_ios"), DeviceSpec("arista_eos", enable_secret="s3")], seed=7) as fleet:
        device = fleet[0]                       # or fleet["sim-ios-0001"]; fleet is iterable
        device.address, device.port, device.username, device.password, device.enable_secret, device.host_key
        device.running_config                   # the configuration proper: no header, nothing volatile, \\n line ends
        device.running_config_output            # what `show running-config` (or its like) prints at this moment
        device.startup_config
        device.edit(["interface Vlan10", "description changed by hand"])     # as an engineer at the console
        device.set_faults("drop", "slow=0.1", Fault("refuse-line", line="ntp server"))   # none: all well again
        device.commands                         # command lines that came over SSH, in order
        device.password_attempts                # LoginAttempt(username, method, accepted), never the password
        device.connections, device.logins, device.sessions       # TCP accepted, logged in, open now
        device.wait_for(lambda device: device.sessions == 0)     # no sleeping: woken by connections, logins, commands
        device.files                            # flash: name -> bytes
        fleet.advance(600)                      # ten minutes pass: rollback timers go off; nothing sleeps

Platforms are the modules of `personas/` (`slugs()` names them), faults stand in `FAULTS`. A fault with a rate strikes
that share of the connections (`lookalike` and `lockout`: of the devices). Everything is thread-safe; the fleet runs in
a thread of its own. The package imports no Django and nothing else of Netcairn. Only `Fleet.start` needs asyncssh, and
says so in one sentence when it is missing.
"""

from backups.simulator.clock import Clock
from backups.simulator.device import Device, DeviceSpec, LoginAttempt
from backups.simulator.errors import (
    AsyncsshMissing,
    EditRefused,
    PortTaken,
    SimulatorError,
    UnknownFault,
    UnknownPersona,
)
from backups.simulator.faults import FAULTS, Fault, FaultDraw
from backups.simulator.fleet import Fleet
from backups.simulator.persona import slugs

__all__ = [
    "FAULTS",
    "AsyncsshMissing",
    "Clock",
    "Device",
    "DeviceSpec",
    "EditRefused",
    "Fault",
    "FaultDraw",
    "Fleet",
    "LoginAttempt",
    "PortTaken",
    "SimulatorError",
    "UnknownFault",
    "UnknownPersona",
    "slugs",
]
