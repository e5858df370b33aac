"""Real processes on this machine as a system: they can be killed, restarted, frozen, resumed and given less of the processor.

The rule that surprises: it touches only processes it started itself. A target that is not one of them is refused by name, and closing
the system (a `with` block) resumes and ends every one of them, whatever faults are still in place.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from experiments.throttle import Throttle
from gameday.errors import GamedayError, nearest
from gameday.selectors import Selector

END_WITHIN_S = 5.0
"""Time a process has to end after SIGTERM before it is killed."""


@dataclass(slots=True)
class _Child:
    command: tuple[str, ...]
    process: subprocess.Popen[bytes]
    kills: int = 0
    freezes: int = 0
    factors: list[float] = field(default_factory=list)
    throttle: Throttle | None = None


class Processes:
    """Services by name, each one process; a port of `gameday.ports` where a process has the power."""

    name = "processes on this machine"

    def __init__(self, commands: Mapping[str, Sequence[str]]) -> None:
        """Start a process per service; `commands` are argument lists, never passed to a shell."""
        self._children = {name: _Child(tuple(command), self._start(command)) for name, command in commands.items()}

    @staticmethod
    def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603 - the caller's own command

    def running(self, service: str) -> bool:
        """Whether the process exists (frozen ones do)."""
        return self._children[service].process.poll() is None

    def kill(self, target: Selector) -> None:
        """SIGKILL: no warning, no clean-up."""
        child = self._child(target)
        child.kills += 1
        if child.kills == 1:
            self._pause_throttle(child)
            child.process.kill()
            child.process.wait(END_WITHIN_S)

    def restart(self, target: Selector) -> None:
        """Undo one kill; the last one starts the command again, frozen if it still ought to be."""
        child = self._child(target)
        child.kills -= 1
        if child.kills == 0:
            child.process = self._start(child.command)
            if child.freezes:
                self._signal(child, signal.SIGSTOP)
            self._throttle(child)

    def freeze(self, target: Selector) -> None:
        """SIGSTOP: the kernel still accepts connections, the process answers none."""
        child = self._child(target)
        child.freezes += 1
        if child.freezes == 1:
            self._pause_throttle(child)
            self._signal(child, signal.SIGSTOP)

    def resume(self, target: Selector) -> None:
        """Undo one freeze."""
        child = self._child(target)
        child.freezes -= 1
        if child.freezes == 0:
            self._signal(child, signal.SIGCONT)
            self._throttle(child)

    def slow(self, target: Selector, factor: float) -> None:
        """Leave 1 / factor of the processor; factors multiply."""
        child = self._child(target)
        child.factors.append(factor)
        self._throttle(child)

    def unslow(self, target: Selector, factor: float) -> None:
        """Undo one `slow`."""
        child = self._child(target)
        child.factors.remove(factor)
        self._throttle(child)

    def pid(self, service: str) -> int:
        """Of the process that is, or was last, the service."""
        return self._children[service].process.pid

    def close(self) -> None:
        """Resume and end everything that was started."""
        for child in self._children.values():
            self._pause_throttle(child)
            self._signal(child, signal.SIGCONT)
            if child.process.poll() is None:
                child.process.terminate()
            try:
                child.process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait(END_WITHIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _child(self, target: Selector) -> _Child:
        if target.kind == "service" and target.at is None and target.name in self._children:
            return self._children[target.name]
        known = [f"service/{name}" for name in self._children]
        meant = nearest(str(target), known)
        hint = f"; did you mean '{meant}'?" if meant else ""
        raise GamedayError(f"'{target}' is none of {self.name}: {', '.join(known)}{hint}")

    def _throttle(self, child: _Child) -> None:
        self._pause_throttle(child)
        if child.factors and not child.freezes and child.process.poll() is None:
            child.throttle = Throttle(child.process.pid, 1.0 / math.prod(child.factors))

    @staticmethod
    def _pause_throttle(child: _Child) -> None:
        if child.throttle is not None:
            child.throttle.end()
            child.throttle = None

    @staticmethod
    def _signal(child: _Child, number: signal.Signals) -> None:
        if child.process.poll() is None:
            os.kill(child.process.pid, number)
