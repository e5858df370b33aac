"""The other processes of a live day: load, observers, guardian. Each has a session of its own, so that Ctrl-C is for the controller.

The rule that surprises: they end when the controller does, however it does. The load looks at its parent, observers and guardian at
their standard input.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from experiments.safety.guardian import BEAT, READY, WELL
from gameday.errors import GamedayError

ROOT = Path(__file__).resolve().parents[1]
LOCUSTFILE = ROOT / "loadtests" / "locustfile.py"
READY_WITHIN_S = 60.0
END_WITHIN_S = 20.0


class Helper:
    """One process and its log."""

    def __init__(self, name: str, command: list[str], folder: Path, *, pipe: bool) -> None:
        """Starts it; `pipe`: it gets a standard input that we hold open."""
        self.name = name
        self._log = (folder / f"{name}.log").open("ab")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        }
        self.process = subprocess.Popen(  # noqa: S603 - our own modules
            command,
            stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
            stdout=subprocess.PIPE if name == "guardian" else self._log,
            stderr=self._log,
            start_new_session=True,
            env=environment,
        )

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def end(self, within_s: float = END_WITHIN_S) -> int | None:
        """Close its standard input, or ask it to stop; kill it when it does not in time. Its exit code."""
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        elif self.alive():
            with suppress(OSError):
                self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait(END_WITHIN_S)
        self._log.close()
        return code


def start_load(folder: Path, scenario: Path, target: str, seed: int, clock: Path) -> Helper:
    """Locust, alone in its process."""
    options = ["--headless", "--only-summary", "--exit-code-on-error", "0", "--stop-timeout", "2"]
    ours = ["--scenario", str(scenario), "--target", target, "--seed", str(seed), "--stream", str(folder), "--clock", str(clock)]
    return Helper("load", [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *options, *ours], folder, pipe=False)


def start_observers(folder: Path, scenario: Path, target: str, evaluators: str) -> Helper:
    """Probes, alerts, pages, receivers; `evaluators`: who evaluates the alert rules."""
    command = [sys.executable, "-m", "experiments.observe", str(folder), str(scenario), target, evaluators]
    return Helper("observers", command, folder, pipe=True)


def start_truth(folder: Path, scenario: Path, target: str) -> Helper:
    """Writers and readers of the databases."""
    return Helper("writers", [sys.executable, "-m", "experiments.truth", str(folder), str(scenario), target], folder, pipe=True)


class Guardian(Helper):
    """The guardian, ready to heal."""

    def __init__(self, folder: Path, plan: Path) -> None:
        """Starts it and waits until it is ready. GamedayError when it is not: then nothing may be broken."""
        super().__init__("guardian", [sys.executable, "-m", "experiments.safety.guardian", str(plan)], folder, pipe=True)
        out = self.process.stdout
        assert out is not None, "the guardian says that it is ready"
        ready = select.select([out], [], [], READY_WITHIN_S)[0] and os.read(out.fileno(), 1) == READY
        if not ready:
            self.process.kill()
            raise GamedayError(f"the guardian did not start; see {folder / 'guardian.log'}")

    def beat(self) -> None:
        """All is well."""
        self._say(BEAT)

    def stand_down(self) -> None:
        """The day ended well: nothing is left to heal."""
        self._say(WELL)
        self.end()

    def _say(self, word: bytes) -> None:
        pipe: IO[bytes] | None = self.process.stdin
        assert pipe is not None, "the guardian listens"
        with suppress(OSError):
            os.write(pipe.fileno(), word)
