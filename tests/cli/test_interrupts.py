"""Ctrl-C, SIGTERM and killed processes: what was finished is kept, what is written is whole, and nothing goes on running."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals

import pytest

from gameday.runfolder import RUN_FILES, RunFolder
from tests.cli.conftest import QUICK, Run, Started, wait_until

Start = Callable[..., Started]
LONG = ("--set", "duration=30d")
"""So long that a replication does not end while a test watches."""

INTERRUPTED = {130, -SIGINT}
"""A shell shows 130 for both: Python ends itself with SIGINT when the interrupt met it while it made a class at import."""

linux_only = pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds workers in /proc")


def check_folder(folder: Path, *, reports: bool = False) -> int:
    """Check that an interrupted run's folder is whole; returns the replications it has."""
    record = json.loads((folder / "run.json").read_text())
    scores = json.loads((folder / "scores.json").read_text())
    assert record["interrupted"] is True
    assert 0 < record["completed"] < record["replications"]
    assert scores["replications"] == record["completed"]
    unwritten = set() if reports else {"report.html", "report.md", "junit.xml"}
    assert {file.name for file in folder.iterdir()} - {"replications"} == set(RUN_FILES) - unwritten
    return int(record["completed"])


def blocks(process: int, number: Signals) -> bool:
    """Whether a process never sees a signal."""
    (mask,) = (line.split()[1] for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("SigBlk:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("group", [True, False], ids=["terminal", "kill"])
def test_ctrl_c_keeps_every_replication_that_was_finished(start: Start, tmp_path: Path, jobs: int, group: bool) -> None:
    running = start("run", QUICK, "--replications", 100_000, "--jobs", jobs, "--out", "run", "--no-report")
    running.wait_for(b"/100000 replications")
    running.signal(SIGINT, group=group)
    code, out, said = running.end()
    assert code == 130
    completed = check_folder(tmp_path / "run")
    assert f"interrupted: {completed} of 100000 replications kept in run" in said
    assert f"  {completed} replication" in out
    assert "Traceback" not in said + out
    assert "\x1b" not in said, "progress needs no escape codes"
    assert running.nothing_is_left()


def test_an_interrupted_run_can_be_read_like_any_other(start: Start, gameday: Run, tmp_path: Path, finished_run: Path) -> None:
    running = start("run", QUICK, "--replications", 100_000, "--jobs", 2, "--out", "run")
    running.wait_for(b"/100000 replications")
    running.signal(SIGTERM)
    code, _, said = running.end()
    assert code == 130
    check_folder(tmp_path / "run", reports=True)
    assert "Traceback" not in said
    assert running.nothing_is_left()
    for arguments in (["report", "run"], ["timeline", "run"], ["compare", "run", finished_run]):
        ended = gameday(*arguments)
        assert (ended.returncode, ended.stderr) == (0, "")
    assert "Interrupted" in (tmp_path / "run" / "report.md").read_text()


@pytest.mark.parametrize(("jobs", "number"), [(1, SIGINT), (2, SIGINT), (2, SIGTERM)])
def test_an_interrupt_before_the_first_replication_ends_leaves_nothing(
    start: Start, tmp_path: Path, jobs: int, number: Signals
) -> None:
    running = start("run", QUICK, "--replications", 4, "--jobs", jobs, *LONG)
    assert wait_until(lambda: bool(list(tmp_path.glob("results/*/scenario.yaml"))))
    if jobs > 1 and Path("/proc/self").exists():
        assert wait_until(lambda: len(running.workers()) == jobs), "the signal is to meet workers that have only begun"
    running.signal(number, group=True)
    code, out, said = running.end()
    assert code in INTERRUPTED
    assert out == ""
    assert said.split("\r\n") == ["interrupted before the first replication was finished; nothing was kept", ""]
    assert list((tmp_path / "results").iterdir()) == []
    assert running.nothing_is_left()


def test_a_folder_that_was_there_before_stays_when_nothing_was_finished(start: Start, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    running = start("run", QUICK, "--jobs", 1, "--out", "mine", *LONG)
    assert wait_until((tmp_path / "mine" / "scenario.yaml").exists)
    running.signal(SIGINT)
    assert running.end()[0] in INTERRUPTED
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]
    assert list((tmp_path / "mine").iterdir()) == []


@linux_only
def test_a_killed_worker_is_named_and_what_was_finished_is_kept(start: Start, tmp_path: Path) -> None:
    running = start("run", QUICK, "--replications", 100_000, "--jobs", 2, "--out", "run", "--no-report")
    running.wait_for(b"/100000 replications")
    os.kill(running.workers()[0], SIGKILL)
    code, out, said = running.end()
    assert code == 2
    completed = check_folder(tmp_path / "run")
    assert "a worker process died" in said
    assert f"{completed} of 100000 replications were finished and are kept in run" in said
    assert "Traceback" not in said + out
    assert running.nothing_is_left()


@linux_only
def test_workers_end_when_their_parent_is_killed(start: Start, tmp_path: Path) -> None:
    running = start("run", QUICK, "--replications", 100_000, "--jobs", 2, "--out", "run", "--no-report")
    running.wait_for(b"/100000 replications")
    assert len(running.workers()) == 2
    assert all(blocks(worker, SIGINT) and blocks(worker, SIGTERM) for worker in running.workers()), "only the parent decides"
    running.signal(SIGKILL)
    assert running.end()[0] == -SIGKILL
    assert running.nothing_is_left()
    folder = RunFolder(tmp_path / "run")
    assert folder.read_record().interrupted
    assert folder.read_record().completed == 0
