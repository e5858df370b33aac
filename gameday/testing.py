"""A fake system for tests of faults and of what plays them: it records every port call and keeps what is in effect.

    system = FakeSystem()
    with injected(make("kill"), system, Selector.parse("zone/eu-1a")):
        assert system.in_effect == ["kill zone/eu-1a"]

The rule that surprises: it is stricter than a real system must be. An undo without its do raises.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gameday.selectors import Selector


@dataclass(frozen=True, slots=True)
class PortCall:
    """One call of a port's method, as it was made."""

    method: str
    target: str
    values: tuple[float, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.method, self.target, *(f"{value:g}" for value in self.values)])


class FakeSystem:
    """Has every port. `calls` is what was asked of it, in order."""

    name = "the fake system"

    def __init__(self) -> None:
        """Nothing is in effect."""
        self.calls: list[PortCall] = []
        self._effects: Counter[PortCall] = Counter()

    @property
    def in_effect(self) -> list[str]:
        """What has been done and not undone, each as often as it counts, in alphabetical order."""
        return sorted(map(str, self._effects.elements()))

    def serving(self, target: Selector) -> bool:
        """Whether a target is neither killed nor frozen; targets are compared as they are written."""
        return not any(self._effects[PortCall(method, str(target))] for method in ("kill", "freeze"))

    def _do(self, method: str, target: Selector, *values: float) -> None:
        call = PortCall(method, str(target), values)
        self.calls.append(call)
        self._effects[call] += 1

    def _undo(self, method: str, undone: str, target: Selector, *values: float) -> None:
        self.calls.append(PortCall(method, str(target), values))
        effect = PortCall(undone, str(target), values)
        if not self._effects[effect]:
            raise AssertionError(f"{method} undoes '{effect}', which is not in effect; in effect: {self.in_effect}")
        self._effects[effect] -= 1

    def kill(self, target: Selector) -> None:
        """Killable."""
        self._do("kill", target)

    def restart(self, target: Selector) -> None:
        """Killable."""
        self._undo("restart", "kill", target)

    def freeze(self, target: Selector) -> None:
        """Freezable."""
        self._do("freeze", target)

    def resume(self, target: Selector) -> None:
        """Freezable."""
        self._undo("resume", "freeze", target)

    def cut(self, target: Selector) -> None:
        """Partitionable."""
        self._do("cut", target)

    def mend(self, target: Selector) -> None:
        """Partitionable."""
        self._undo("mend", "cut", target)

    def shape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Shapeable."""
        self._do("shape", target, latency_s, loss_ratio)

    def unshape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Shapeable."""
        self._undo("unshape", "shape", target, latency_s, loss_ratio)

    def slow(self, target: Selector, factor: float) -> None:
        """Slowable."""
        self._do("slow", target, factor)

    def unslow(self, target: Selector, factor: float) -> None:
        """Slowable."""
        self._undo("unslow", "slow", target, factor)

    def saturate(self, target: Selector, share: float) -> None:
        """Saturable."""
        self._do("saturate", target, share)

    def release(self, target: Selector, share: float) -> None:
        """Saturable."""
        self._undo("release", "saturate", target, share)

    def fail(self, target: Selector, error_ratio: float) -> None:
        """Failable."""
        self._do("fail", target, error_ratio)

    def recover(self, target: Selector, error_ratio: float) -> None:
        """Failable."""
        self._undo("recover", "fail", target, error_ratio)

    def ship(self, target: Selector, error_ratio: float, slowdown: float) -> None:
        """Releasable."""
        self._do("ship", target, error_ratio, slowdown)

    def roll_back(self, target: Selector, error_ratio: float, slowdown: float) -> None:
        """Releasable."""
        self._undo("roll_back", "ship", target, error_ratio, slowdown)

    def stop_replication(self, target: Selector) -> None:
        """Replicating."""
        self._do("stop_replication", target)

    def start_replication(self, target: Selector) -> None:
        """Replicating."""
        self._undo("start_replication", "stop_replication", target)

    def freeze_agent(self, target: Selector) -> None:
        """Steerable."""
        self._do("freeze_agent", target)

    def resume_agent(self, target: Selector) -> None:
        """Steerable."""
        self._undo("resume_agent", "freeze_agent", target)

    def skew_clock(self, target: Selector, offset_s: float) -> None:
        """Clocked."""
        self._do("skew_clock", target, offset_s)

    def correct_clock(self, target: Selector, offset_s: float) -> None:
        """Clocked."""
        self._undo("correct_clock", "skew_clock", target, offset_s)

    def fill_disk(self, target: Selector) -> None:
        """Storing."""
        self._do("fill_disk", target)

    def free_disk(self, target: Selector) -> None:
        """Storing."""
        self._undo("free_disk", "fill_disk", target)

    def break_dns(self, target: Selector, share: float) -> None:
        """Resolving."""
        self._do("break_dns", target, share)

    def mend_dns(self, target: Selector, share: float) -> None:
        """Resolving."""
        self._undo("mend_dns", "break_dns", target, share)


def system_without(*ports: type) -> FakeSystem:
    """A fake system that lacks some ports."""
    absent = {method: None for port in ports for method in vars(port) if not method.startswith("_")}
    lacking: type[FakeSystem] = type("FakeSystem", (FakeSystem,), dict(absent))
    return lacking()
