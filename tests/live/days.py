"""Plays `gameday live` in a process of its own, as a user does, with a safety lever of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fake_lab import FakeLab, write_scenario

ROOT = Path(__file__).parents[2]
LONGEST_S = 150.0


def environment(folder: Path) -> dict[str, str]:
    """A lever of its own, and the plain traffic engine: compiling the other takes longer than the few requests of these days."""
    quick = folder / "quick"
    quick.mkdir(exist_ok=True)
    (quick / "sitecustomize.py").write_text('import sys\n\nsys.modules["numba"] = None\n')
    return {**os.environ, "GAMEDAY_STATE": str(folder / "state"), "PYTHONPATH": f"{quick}{os.pathsep}{ROOT}"}


def gameday(folder: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-m", "gameday", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=LONGEST_S, check=False
    )


class Day:
    """A live day that goes on."""

    def __init__(self, folder: Path, lab: FakeLab, *arguments: str, **scenario: str) -> None:
        self.folder = folder
        self.scenario = write_scenario(folder, **scenario)
        command = [sys.executable, "-m", "gameday", "live", str(self.scenario), "--target", str(lab.target_file)]
        command += ["--replications", "1", "--jobs", "1", "--out", "run", "--no-report", *arguments]
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=log, stderr=log)

    def wait_for(self, words: str) -> None:
        ends = time.monotonic() + LONGEST_S
        while words not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        return self.process.wait(LONGEST_S)


def wait_until(condition: object, within_s: float = 20.0) -> bool:
    assert callable(condition)
    ends = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True
