"""A study on a Dask cluster: the rows of the local run, also when a worker is killed; a worker of another version is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

import pytest

from gameday.cluster import Cluster, check_versions, code_digest, versions
from gameday.errors import GamedayError
from gameday.replication import Task, Workers, packed
from gameday.scenario import read_scenario
from gameday.scores import ReplicationScores
from tests.cli.conftest import QUICK, environment, wait_until

distributed = pytest.importorskip("distributed", reason="needs the 'cluster' extra")
pytestmark = pytest.mark.filterwarnings("ignore")


class LocalCluster:
    """A scheduler and its workers, each in a process of its own, as on several machines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        assert any(wait_until(file.is_file) for _ in range(6)), "the scheduler says where it is"
        import json

        self.address = str(json.loads(file.read_text())["address"])

    def start(self, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + what, *arguments]
        self.processes.append(
            subprocess.Popen(command, cwd=self.folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        return self.processes[-1]

    def worker(self) -> subprocess.Popen[bytes]:
        """Without a nanny, so that killed is killed."""
        return self.start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder)
        )

    def end(self) -> None:
        for process in reversed(self.processes):
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    found = LocalCluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.end()


def tasks(count: int) -> list[Task]:
    content, key = packed(read_scenario(QUICK))
    return [Task(content, key, 3, (number,)) for number in range(count)]


def test_the_results_are_those_of_the_local_run_although_a_worker_is_killed(cluster: LocalCluster) -> None:
    first, _ = cluster.worker(), cluster.worker()
    found: dict[int, ReplicationScores] = {}
    with Cluster(cluster.address) as workers:
        workers._client.wait_for_workers(2, timeout=60)
        assert workers.width == 2
        for task, played in workers.run(tasks(12)):
            found[task.replications[0]] = played[0].scores
            if len(found) == 3:
                os.kill(first.pid, SIGKILL)
    with Workers(1) as alone:
        expected = {task.replications[0]: played[0].scores for task, played in alone.run(tasks(12))}
    assert first.wait() == -SIGKILL
    assert found == expected


def test_a_worker_of_another_version_is_refused_by_name() -> None:
    check_versions("tcp://x", {"tcp://a": versions()})
    with pytest.raises(GamedayError, match=r"tcp://b: gameday 0\.0\.1 instead of"):
        check_versions("tcp://x", {"tcp://a": versions(), "tcp://b": {**versions(), "gameday": "0.0.1"}})
    with pytest.raises(GamedayError, match="code"):
        check_versions("tcp://x", {"tcp://b": {**versions(), "code": "0" * 64}})


def test_the_digest_of_the_code_is_that_of_this_checkout() -> None:
    assert len(code_digest()) == 64


def test_a_scheduler_that_is_not_there_is_told_in_a_line() -> None:
    with pytest.raises(GamedayError, match="cannot reach a Dask scheduler at tcp"):
        Cluster("tcp://127.0.0.1:9")
