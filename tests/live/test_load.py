"""Locust plays a scenario's load: open loop, latency from the intended start, two workers add up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("locust") is None:  # looked for, not imported: it would turn the threads of this process into greenlets
    pytest.skip("needs the live extra", allow_module_level=True)

from days import ROOT, environment
from fake_lab import FakeLab, write_scenario

from gameday.load_stream import LoadStream


def locust(folder: Path, lab: FakeLab, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), "--headless", "--only-summary"]
    ours = [
        "--scenario",
        str(write_scenario(folder, duration="9s", fault="noop service/shop at 1s for 1s")),
        "--target",
        str(lab.target_file),
    ]
    with (folder / "locust.log").open("w") as log:
        return subprocess.Popen(
            [*command, *ours, "--stream", str(folder / "stream"), *more],
            cwd=folder,
            env=environment(folder),
            stdout=log,
            stderr=log,
        )


def test_a_stall_shows_in_the_latency_of_all_that_should_have_been_sent_in_it(tmp_path: Path, lab: FakeLab) -> None:
    """A closed loop would have sent nothing while the server stood still, and so have measured nothing."""
    running = locust(tmp_path, lab)
    stream = LoadStream(tmp_path / "stream")
    ends = time.monotonic() + 90
    while (stream.complete_until or 0) < 2 and time.monotonic() < ends:
        time.sleep(0.05)
        stream.read()
    os.kill(lab.children["shop-a"].pid, signal.SIGSTOP)
    stopped = stream.complete_until or 0
    while (stream.complete_until or 0) < stopped + 3 and time.monotonic() < ends:
        time.sleep(0.05)
        stream.read()
    os.kill(lab.children["shop-a"].pid, signal.SIGCONT)
    assert running.wait(90) in {0, 1}, (tmp_path / "locust.log").read_text()
    stream.read()
    home = [counts for second in stream.seconds.values() for (_, origin), counts in second.items() if origin == "home"]
    in_the_stall = [
        counts
        for t, second in stream.seconds.items()
        if stopped < t <= stopped + 3
        for (_, origin), counts in second.items()
        if origin == "home"
    ]
    assert sum(counts.offered for counts in in_the_stall) > 15
    assert sum(sum(counts.lost.values()) for counts in home) > 10
    away = [counts for second in stream.seconds.values() for (_, origin), counts in second.items() if origin == "away"]
    assert sum(counts.good for counts in away) > 30


def test_two_workers_share_the_arrivals(tmp_path: Path, lab: FakeLab) -> None:
    running = locust(tmp_path, lab, "--processes", "2", "--drivers", "2")
    assert running.wait(120) in {0, 1}, (tmp_path / "locust.log").read_text()
    stream = LoadStream(tmp_path / "stream")
    stream.read()
    assert len(list((tmp_path / "stream").glob("load-*.jsonl"))) == 2
    offered = stream.total().offered + stream.total().dropped
    assert abs(offered - 9 * 30) < 5 * (9 * 30) ** 0.5
