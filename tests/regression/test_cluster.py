"""A study on a Dask cluster: the rows of the local run, also when a worker is killed; other builds are refused; nothing hangs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gameday.cluster import Cluster, check_workers
from gameday.errors import GamedayError
from gameday.fingerprint import fingerprint
from gameday.replication import Workers
from gameday.study.answers import Answers
from gameday.study.model import read_study
from gameday.study.running import Playing, identity_of
from gameday.study.store import Store
from tests.cli.conftest import QUICK, command, environment

pytest.importorskip("distributed", reason="needs the 'cluster' extra")

LONGEST_S = 240.0
"""A worker compiles the traffic engine first where no cache holds it."""

STUDY = """
study: 1
name: probe
question: How often to probe?
scenario: quick.yaml
factors:
  interval: {set: monitoring.probes.visits.interval, values: [5s, 1s]}
responses:
  - {of: detection.time_to_detect}
replications: {least: 12, most: 12}
"""


class DaskCluster:
    """A scheduler and its workers, each in a process of its own, as on several machines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.address = self._told(self.scheduler, "Scheduler at:").split()[-1]

    def worker(self, preload: str = "") -> subprocess.Popen[str]:
        """One that is registered with the scheduler; without a nanny, so that killed is killed."""
        file = self.folder / f"preload{len(self.processes)}.py"
        file.write_text(preload)
        worker = self._start("worker", self.address, "--nthreads", "1", "--no-nanny", "--preload", str(file))
        self._told(worker, "Registered to:")
        return worker

    def _start(self, what: str, *arguments: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments, "--no-dashboard"]
        process = subprocess.Popen(
            words, cwd=self.folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        return process

    @staticmethod
    def _told(process: subprocess.Popen[str], text: str) -> str:
        """The line of its log that says so; what it says afterwards is read by nobody and fits into the pipe."""
        assert process.stderr is not None
        for line in process.stderr:
            if text in line:
                return line
        raise AssertionError(f"it ended without saying {text}")

    def end(self) -> None:
        for process in reversed(self.processes):
            with suppress(ProcessLookupError):
                process.kill()
            process.communicate()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    found = DaskCluster(tmp_path)
    yield found
    found.end()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "quick.yaml").write_text(QUICK.read_text())
    (tmp_path / "probe.yaml").write_text(STUDY)
    return tmp_path / "probe.yaml"


def on_cluster(cluster: DaskCluster, study: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = command("study", study, "--cluster", cluster.address, *more)
    return subprocess.run(
        words, cwd=study.parent, env=environment(), capture_output=True, text=True, timeout=LONGEST_S, check=False
    )


def rows(folder: Path) -> list[str]:
    """As text, because NaN is not equal to itself."""
    return [repr(row) for _, row in sorted(Store.open(folder).rows.items())]


DIES = """
import os, signal
from gameday import cluster
perform, done = cluster.perform, []

def perform_and_die(task):
    if not done:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(task)
    return perform(task)

cluster.perform = perform_and_die
"""


def test_the_rows_are_those_of_the_local_run_although_a_worker_is_killed(cluster: DaskCluster, study: Path) -> None:
    """Killed by the kernel while it holds a task, as by `kill -9`; the tasks of the dead go to the other."""
    dying = cluster.worker(DIES)
    cluster.worker()
    ended = on_cluster(cluster, study)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr
    assert dying.wait() == -signal.SIGKILL
    file = read_study(study)
    store = Store.create(study.parent / "local", identity_of(file), resume=False)
    with Workers(1) as alone:
        Playing(file, store, alone).play()
    assert Answers.of(file.study, store).points
    assert rows(study.parent / "results" / "probe") == rows(study.parent / "local")


DIES_WITH_SCHEDULER = """
import os, signal
from gameday import cluster
perform, done = cluster.perform, []

def perform_once(task):
    if len(done) == 2:
        os.kill({pid}, signal.SIGKILL)
    done.append(task)
    return perform(task)

cluster.perform = perform_once
"""


def test_a_scheduler_that_dies_ends_the_study_with_what_is_done_and_it_goes_on_elsewhere(
    cluster: DaskCluster, study: Path
) -> None:
    cluster.worker(DIES_WITH_SCHEDULER.format(pid=cluster.scheduler.pid))
    ended = on_cluster(cluster, study)
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False), ended.stderr
    assert "is gone; what was finished is kept" in ended.stderr
    resumed = subprocess.run(
        command("study", study, "--resume", "--jobs", 1), cwd=study.parent, env=environment(), capture_output=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert len(rows(study.parent / "results" / "probe")) == 24


INTERRUPTED = """
import os, signal, sys
from gameday.cli import run_command
from gameday.study.store import Store
add = Store.add

def add_and_interrupt(store, row):
    add(store, row)
    if len(store.rows) == 4:
        os.kill(os.getpid(), signal.SIGINT)

Store.add = add_and_interrupt
sys.exit(run_command(sys.argv[1:]))
"""


def test_ctrl_c_keeps_what_is_done_and_frees_the_workers(cluster: DaskCluster, study: Path) -> None:
    cluster.worker()
    words = [sys.executable, "-c", INTERRUPTED, "study", str(study), "--cluster", cluster.address]
    ended = subprocess.run(words, cwd=study.parent, env=environment(), capture_output=True, text=True, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (130, False), ended.stderr
    assert "interrupted: 4 replications are kept" in ended.stderr
    assert len(rows(study.parent / "results" / "probe")) == 4
    assert on_cluster(cluster, study, "--resume").returncode == 0
    assert len(rows(study.parent / "results" / "probe")) == 24


def test_a_worker_of_another_build_is_refused_before_anything_is_played(cluster: DaskCluster, study: Path) -> None:
    cluster.worker("from gameday import fingerprint\nfingerprint.code_digest = lambda: '0' * 64\n")
    cluster.worker()
    ended = on_cluster(cluster, study)
    assert ended.returncode == 2, ended.stderr
    ours = fingerprint()["code"][:12]
    assert (
        f"tcp://127.0.0.1:{ended.stderr.split('tcp://127.0.0.1:')[2].split(':')[0]}: code 000000000000 instead of {ours}"
        in ended.stderr
    )
    assert not (study.parent / "results" / "probe" / "replications.parquet").exists()


def test_every_difference_of_a_worker_is_named() -> None:
    ours = fingerprint()
    check_workers("tcp://x", ours, {"tcp://a": ours})
    with pytest.raises(GamedayError, match=r"tcp://b: gameday 0\.0\.1 instead of .*, numpy 1\.0 instead of"):
        check_workers("tcp://x", ours, {"tcp://a": ours, "tcp://b": {**ours, "gameday": "0.0.1", "numpy": "1.0"}})
    with pytest.raises(GamedayError, match="tcp://c: cannot import this gameday: No module named 'gameday'"):
        check_workers("tcp://x", ours, {"tcp://c": ModuleNotFoundError("No module named 'gameday'")})


SHORT = """
import sys
from gameday import cluster
from gameday.cli import run_command
cluster.Cluster.__init__.__defaults__ = (2.0, 0.3)
sys.exit(run_command(sys.argv[1:]))
"""


def test_nobody_there_and_no_workers_are_told_in_a_line(cluster: DaskCluster, study: Path) -> None:
    def said(address: str) -> str:
        words = [
            sys.executable,
            "-c",
            SHORT,
            "study",
            str(study),
            "--cluster",
            address,
            "--out",
            str(study.parent / "x"),
            "--resume",
        ]
        ended = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=LONGEST_S, check=False)
        assert (ended.returncode, "Traceback" in ended.stderr) == (2, False), ended.stderr
        return ended.stderr

    assert f"the scheduler at {cluster.address} has no workers" in said(cluster.address)
    assert "cannot reach a Dask scheduler at tcp://127.0.0.1:9" in said("tcp://127.0.0.1:9")
    for wrong in ("nonsense://x:1", "tcp://scheduler", "8786"):
        with pytest.raises(GamedayError, match="is no address of a Dask scheduler"):
            Cluster(wrong)


def test_the_table_says_which_build_made_its_rows(study: Path) -> None:
    identity = identity_of(read_study(study))
    Store.create(study.parent / "out", identity, resume=False)
    with pytest.raises(GamedayError, match=r"code_sha256 .* rows are never mixed"):
        Store.create(study.parent / "out", {**identity, "code_sha256": "0" * 64}, resume=True)
    assert json.loads((study.parent / "out" / "study.json").read_text())["code_sha256"] == fingerprint()["code"]
