"""The command as a user meets it: in a process of its own, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from signal import Signals

import pytest

ROOT = Path(__file__).parents[2]
QUICK = ROOT / "tests" / "data" / "quick.yaml"
LONGEST_S = 60.0

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**changes: str) -> dict[str, str]:
    """The environment, with this checkout's code and without what would change what is printed."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONWARNINGS"}
    }
    return {**kept, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "xterm", **changes}


def command(*arguments: object) -> list[str]:
    """The command line as a list."""
    return [sys.executable, "-m", "gameday", *map(str, arguments)]


@pytest.fixture
def gameday(tmp_path: Path) -> Run:
    """Run a command in an empty folder and wait for its end."""

    def run(*arguments: object, cwd: Path = tmp_path, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            cwd=cwd,
            env=environment(**changes),
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three replications that met its gate."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    arguments = command("run", QUICK, "--replications", 3, "--jobs", 1, "--out", folder)
    subprocess.run(arguments, env=environment(), capture_output=True, timeout=LONGEST_S, check=True)
    return folder


class Started:
    """A command that is running, in a process group of its own, with a terminal as standard error."""

    def __init__(self, arguments: Sequence[object], folder: Path) -> None:
        import pty

        self._terminal, end = pty.openpty()
        self.said = b""
        self.process = subprocess.Popen(
            command(*arguments), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=end, start_new_session=True
        )
        os.close(end)

    def wait_for(self, text: bytes) -> None:
        """Read standard error until the text is there."""
        while text not in self.said:
            piece = self._read()
            assert piece, f"it ended without saying {text!r}: {self.said!r}"
            self.said += piece

    def workers(self) -> list[int]:
        """Process ids of the workers that were started."""
        found = []
        for number in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            words = Path(f"/proc/{number}/cmdline").read_bytes()
            found += [int(number)] if b"spawn_main" in words else []
        return found

    def signal(self, number: Signals, *, group: bool = False) -> None:
        """As `kill` does, or as the terminal does for all processes in front."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        out, _ = self.process.communicate(timeout=LONGEST_S)
        while piece := self._read():
            self.said += piece
        os.close(self._terminal)
        return self.process.returncode, out.decode(), self.said.decode()

    def nothing_is_left(self) -> bool:
        """Whether all processes of the group are gone, within a moment."""
        return wait_until(self._group_is_empty)

    def _group_is_empty(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def _read(self) -> bytes:
        try:
            return os.read(self._terminal, 4096)
        except OSError:  # what a terminal says once the other end is closed
            return b""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Start a command; whatever is left of it at the end of the test is killed."""
    pytest.importorskip("pty", reason="needs a pseudo-terminal")
    started: list[Started] = []

    def begin(*arguments: object) -> Started:
        started.append(Started(arguments, tmp_path))
        return started[-1]

    yield begin
    for one in started:
        with suppress(ProcessLookupError):
            os.killpg(one.process.pid, Signals.SIGKILL)
        one.process.communicate()


def wait_until(condition: Callable[[], bool]) -> bool:
    """Whether the condition becomes true within a minute; it is about other processes, so nothing wakes us."""
    for _ in range(6000):
        if condition():
            return True
        time.sleep(0.01)
    return False
