"""A share of the processor: a process group is stopped and continued in turn, so that it runs as if it had to share a busy core.

    throttle = Throttle(group, share=0.25)      # the group gets a quarter of what it would get
    throttle.end()

The rule that surprises: nothing is burnt. A process beside `1 / share - 1` others that are always hungry runs a slice and waits while
they have theirs; that is done to it with SIGSTOP and SIGCONT, slice by slice, and everything else on the machine is left as it is. Burners
would take from all of it, and how much the process then lost would be up to who else was busy.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

SLICE_S: Final = 0.005
"""What a process may run before the next has its turn: assumption, some slices of Linux' scheduler (about 3 ms)."""
MOST_TURNS: Final = 8.0
"""Turns of the others that may be made up for at once, where a busy machine woke us late."""
BEGINS_WITHIN_S: Final = 10.0
ENDS_WITHIN_S: Final = 5.0
_SECONDS: Final = struct.Struct("d")


class StoppedTime:
    """A file with the seconds for which a process was stopped; who stops it writes, while it is stopped, and the process reads."""

    def __init__(self, path: Path) -> None:
        """Made with 0 s where it is missing."""
        if not path.exists():
            path.write_bytes(_SECONDS.pack(0.0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _SECONDS.size)

    def seconds(self) -> float:
        """So far."""
        return float(_SECONDS.unpack_from(self._memory)[0])

    def add(self, seconds: float) -> None:
        """One stop more."""
        _SECONDS.pack_into(self._memory, 0, self.seconds() + seconds)


class Throttle:
    """A helper process that stops and continues a group, until `end` or until whoever started it is gone."""

    def __init__(self, group: int, share: float, stopped: Path | None = None) -> None:
        """Returns when the group has been stopped for the first time; 0 < share < 1."""
        self.group, self.share = group, share
        root = Path(__file__).parents[1]
        command = [sys.executable, "-m", "experiments.throttle", str(group), repr(share), *([str(stopped)] if stopped else [])]
        self._helper = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self._helper.stdout is not None, "it was asked for"
        if select.select([self._helper.stdout], [], [], BEGINS_WITHIN_S)[0]:
            self._helper.stdout.read(1)

    @property
    def alive(self) -> bool:
        """Whether the helper still works."""
        return self._helper.poll() is None

    def end(self) -> None:
        """The group runs from now on; whether the helper obeys or not."""
        assert self._helper.stdin is not None, "it was asked for"
        assert self._helper.stdout is not None, "it was asked for"
        self._helper.stdin.close()
        try:
            self._helper.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._helper.kill()
            self._helper.wait()
        self._helper.stdout.close()
        with suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGCONT)


def stopped_ratio(pid: int, looks: int, every_s: float) -> float:
    """In how many of some looks at a process the kernel had it stopped. ProcessLookupError when there is none."""
    found = 0
    for _ in range(looks):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(") ")[2][:1]
        except OSError as error:
            raise ProcessLookupError(pid) from error
        if state in {"Z", "X"}:
            raise ProcessLookupError(pid)
        found += state == "T"
        time.sleep(every_s)
    return found / looks


def keep(group: int, share: float, stopped: StoppedTime | None) -> None:
    """Stop and continue until standard input ends, or the group has; each stop pays what is owed by now, so a late wake-up is made up for."""
    began, owed_ratio, paid_s, told = time.monotonic(), 1.0 - share, 0.0, False
    longest_s = MOST_TURNS * SLICE_S * owed_ratio / share
    try:
        while not _ended_within(SLICE_S):
            os.killpg(group, signal.SIGSTOP)
            at = time.monotonic()
            if not told:
                told = os.write(1, b"r") == 1
            # From the debt d, a stop of d / share leaves none: what is stopped now is owed for too.
            debt_s = owed_ratio * (at - began) - paid_s
            is_over = _ended_within(min(max(debt_s, 0.0) / share, longest_s))
            lasted_s = time.monotonic() - at
            paid_s += lasted_s
            if stopped is not None:
                stopped.add(lasted_s)
            os.killpg(group, signal.SIGCONT)
            if is_over:
                return
    except ProcessLookupError:
        return
    finally:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGCONT)


def _ended_within(seconds: float) -> bool:
    """Whether standard input ended, or anything came; waits that long."""
    return bool(select.select([0], [], [], seconds)[0])


def main(arguments: list[str]) -> None:
    """`python -m experiments.throttle GROUP SHARE [FILE]`; it never ends while the group is stopped, except by SIGKILL."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    keep(int(arguments[0]), float(arguments[1]), StoppedTime(Path(arguments[2])) if len(arguments) > 2 else None)


if __name__ == "__main__":
    main(sys.argv[1:])
