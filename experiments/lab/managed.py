"""One supervised process: started, watched, killed, frozen, resumed, given a share of the processor; with everything it started.

The rule that surprises: PostgreSQL leaves the group and session of the Patroni that starts it, so a process's members are its group and
whoever works in its folder. `children=False` means the group alone: Patroni dies or freezes, its PostgreSQL goes on.
"""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from experiments.lab.folder import below, kill_all
from experiments.lab.plan import Process
from experiments.throttle import StoppedTime, Throttle
from gameday.errors import GamedayError

RESTARTS: Final = 5
"""Times a process that ends by itself is started again within `RESTART_WINDOW_S`; then it is left `exited`."""
RESTART_WINDOW_S: Final = 60.0
END_WITHIN_S: Final = 5.0


@dataclass
class Managed:
    """State of one process; the methods block until what they do is done."""

    spec: Process
    log: Path
    state: str = "stopped"
    since: float = field(default_factory=time.time)
    share: float = 1.0
    """Of the processor it would get; kept over a restart."""
    _throttle: Throttle | None = None
    _child: subprocess.Popen[bytes] | None = None
    _ended: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As `GET /processes` shows it."""
        pid = self._child.pid if self._child and self.state in {"running", "frozen"} else None
        shown = {"pid": pid, "state": self.state, "node": self.spec.node, "log": str(self.log), "since": self.since}
        return shown | {"share": self.share}

    def start(self) -> None:
        """Start it unless it runs; a frozen one is resumed."""
        if self.state == "frozen":
            self.resume()
        if self.state == "running" and self._alive():
            return
        self._pause_throttle()
        StoppedTime(self.stopped)
        environment = os.environ | self.spec.environment
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - the lab's own command, no shell
                self.spec.command,
                cwd=self.spec.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._is_now("running")
        self._throttle_again()

    def kill(self, *, children: bool = True) -> None:
        """SIGKILL; it stays dead until `start`. Nothing happens when it is dead."""
        self._pause_throttle()
        kill_all(self.members(children=children))
        self._reap()
        self._is_now("stopped")

    def freeze(self, *, children: bool = True) -> None:
        """SIGSTOP: the kernel still accepts its connections, nobody answers."""
        if self.state not in {"running", "frozen"}:
            return
        self._pause_throttle()
        for one in self.members(children=children):
            with suppress(psutil.NoSuchProcess):
                one.suspend()
        self._is_now("frozen")

    def resume(self) -> None:
        """SIGCONT for everything of it."""
        if self.state != "frozen":
            return
        for one in self.members():
            with suppress(psutil.NoSuchProcess):
                one.resume()
        self._is_now("running")
        self._throttle_again()

    def throttle(self, share: float) -> None:
        """Give it this share of the processor from now on; 1 is all. GamedayError when part of it would escape."""
        if not 0.0 < share <= 1.0:
            raise GamedayError(f"a share of the processor is above 0 and at most 1, not {share:g}")
        if share < 1.0 and len(self.members()) > len(self.members(children=False)):
            raise GamedayError(f"{self.spec.name} has started processes that left its group, which would not get less")
        self._pause_throttle()
        self.share = share
        self._throttle_again()

    @property
    def stopped(self) -> Path:
        """File with the seconds for which a throttle has stopped it (`StoppedTime`)."""
        return self.spec.folder / "stopped"

    def watch(self) -> bool:
        """Look whether it ended by itself; start it again unless it does so all the time. True when something changed."""
        if self.state not in {"running", "frozen"} or self._alive():
            if self._throttle is not None and not self._throttle.alive:
                self._pause_throttle()  # it may have left everything stopped
                self._throttle_again()
            return False
        now = time.time()
        self._ended = [at for at in self._ended if now - at < RESTART_WINDOW_S] + [now]
        self._is_now("exited")
        if len(self._ended) <= RESTARTS:
            self.start()
        return True

    def members(self, *, children: bool = True) -> list[psutil.Process]:
        """Processes of its group and, with children, those that work in its folder."""
        found = {one.pid: one for one in below(self.spec.folder)} if children else {}
        if self._child is not None and self._alive():
            for one in psutil.process_iter():
                with suppress(ProcessLookupError, psutil.Error):
                    if os.getpgid(one.pid) == self._child.pid:
                        found[one.pid] = one
        return list(found.values())

    def _throttle_again(self) -> None:
        if self.share < 1.0 and self.state == "running" and self._child is not None:
            self._throttle = Throttle(self._child.pid, self.share, self.stopped)

    def _pause_throttle(self) -> None:
        if self._throttle is not None:
            self._throttle.end()
            self._throttle = None

    def _alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def _reap(self) -> None:
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(END_WITHIN_S)

    def _is_now(self, state: str) -> None:
        if state != self.state:
            self.state, self.since = state, time.time()
