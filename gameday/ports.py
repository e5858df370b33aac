"""Ports: what can be done to a system, simulated or real. A fault needs some; a system has those whose two methods it has.

The rules that surprise. Every effect counts: two kills need two restarts, and the state is back only after the last undo. An undo
is called with the same target and values as its do, so a system need not remember which fault did what. Different effects of
one kind combine: delays and clock offsets add, factors multiply, and ratios and shares combine as 1 - (1 - a)(1 - b). Who calls
an undo without its do has made a mistake; what then happens is up to the system.
Targets are selectors: `database/<name>/primary` is hit as it is at that moment, and must be healed as the node that was hit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar, cast, runtime_checkable

from gameday.errors import GamedayError
from gameday.selectors import Selector

Port = TypeVar("Port")


class LacksCapability(GamedayError):  # noqa: N818 - it reads as a sentence: the system lacks a capability
    """A system cannot do what a fault needs; the verdict of such a run is UNKNOWN, never a pass."""

    def __init__(self, system: str, capability: str, fault: str) -> None:
        """Names of the system, the port and the fault."""
        self.system = system
        self.capability = capability
        self.fault = fault
        named, _, reason = capability.partition(": ")
        super().__init__(f"fault {fault} needs the capability {named}, which {system} lacks" + f": {reason}" * bool(reason))


@runtime_checkable
class Killable(Protocol):
    """Processes, nodes, whole places and third parties can be stopped at once; what they held is lost."""

    def kill(self, target: Selector) -> None:
        """Stop everything in the target. A dead zone also takes its network and what is monitored from it along."""

    def restart(self, target: Selector) -> None:
        """Undo one kill; what is no longer dead boots and then serves."""


@runtime_checkable
class Freezable(Protocol):
    """Processes can be stopped without ending: they take requests in and answer none."""

    def freeze(self, target: Selector) -> None:
        """Stop work without losing it."""

    def resume(self, target: Selector) -> None:
        """Undo one freeze; work goes on where it was."""


@runtime_checkable
class Partitionable(Protocol):
    """Links, and single dependencies, can be cut: nothing gets through in the named direction."""

    def cut(self, target: Selector) -> None:
        """Cut a link one way or both, or all calls from a service to one target."""

    def mend(self, target: Selector) -> None:
        """Undo one cut."""


@runtime_checkable
class Shapeable(Protocol):
    """Links can be made slow and lossy."""

    def shape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Add seconds to every message over a link, one way, and lose a share of them."""

    def unshape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Undo one shaping of the same values."""


@runtime_checkable
class Slowable(Protocol):
    """Work can be made to take longer: a gray failure."""

    def slow(self, target: Selector, factor: float) -> None:
        """Multiply the time of own work; calls it waits for are not its own work."""

    def unslow(self, target: Selector, factor: float) -> None:
        """Undo one slowing of the same factor."""


@runtime_checkable
class Saturable(Protocol):
    """Capacity can be taken away."""

    def saturate(self, target: Selector, share: float) -> None:
        """Take a share of the slots; requests in work are not interrupted."""

    def release(self, target: Selector, share: float) -> None:
        """Undo one taking of the same share."""


@runtime_checkable
class Failable(Protocol):
    """Answers can be made errors."""

    def fail(self, target: Selector, error_ratio: float) -> None:
        """Make a share of the answers errors, besides those that are errors anyway."""

    def recover(self, target: Selector, error_ratio: float) -> None:
        """Undo one failing of the same ratio."""


@runtime_checkable
class Releasable(Protocol):
    """Versions can be shipped and rolled back; instances that start later run what was shipped last."""

    def ship(self, target: Selector, error_ratio: float, slowdown: float) -> None:
        """Ship a version that errs on a share of its answers and whose work takes `slowdown` times as long."""

    def roll_back(self, target: Selector, error_ratio: float, slowdown: float) -> None:
        """Go back to the version before."""


@runtime_checkable
class Replicating(Protocol):
    """Database nodes can be cut off the stream of changes while they go on serving."""

    def stop_replication(self, target: Selector) -> None:
        """Replicas in the target receive no more changes; of a primary in it, no replica does."""

    def start_replication(self, target: Selector) -> None:
        """Undo one stop; replicas catch up."""


@runtime_checkable
class Steerable(Protocol):
    """The agents that manage database nodes can be stopped without ending; the databases under them go on."""

    def freeze_agent(self, target: Selector) -> None:
        """Stop the agents: they renew no lease, answer no health check and follow nobody."""

    def resume_agent(self, target: Selector) -> None:
        """Undo one freeze."""


@runtime_checkable
class Clocked(Protocol):
    """Clocks can be wrong."""

    def skew_clock(self, target: Selector, offset_s: float) -> None:
        """Put clocks back: the nodes believe it is `offset_s` earlier than it is."""

    def correct_clock(self, target: Selector, offset_s: float) -> None:
        """Undo one skew of the same offset."""


@runtime_checkable
class Storing(Protocol):
    """Disks can be full."""

    def fill_disk(self, target: Selector) -> None:
        """Writes fail, reads go on."""

    def free_disk(self, target: Selector) -> None:
        """Undo one filling."""


@runtime_checkable
class Resolving(Protocol):
    """The public name can fail to resolve."""

    def break_dns(self, target: Selector, share: float) -> None:
        """Let a share of lookups fail; who has a cached address goes on until it expires."""

    def mend_dns(self, target: Selector, share: float) -> None:
        """Undo one breaking of the same share."""


PORTS: Final[tuple[type, ...]] = (
    Killable,
    Freezable,
    Partitionable,
    Shapeable,
    Slowable,
    Saturable,
    Failable,
    Releasable,
    Replicating,
    Steerable,
    Clocked,
    Storing,
    Resolving,
)
"""Every port."""


def require(system: object, port: Callable[..., Port], fault: str) -> Port:
    """The system seen through a port. Raises LacksCapability naming system, port and fault.

    Systems give their name for people in an attribute `name`; without one it is the name of their class.
    """
    assert isinstance(port, type), "a port is one of the protocols of this module"
    if not isinstance(system, port):
        raise LacksCapability(name_of(system), port.__name__, fault)
    return cast("Port", system)


def capabilities_of(system: object) -> tuple[type, ...]:
    """The ports a system has."""
    return tuple(port for port in PORTS if isinstance(system, port))


def name_of(system: object) -> str:
    """What messages call a system."""
    name = getattr(system, "name", None)
    return name if isinstance(name, str) and name else type(system).__name__
