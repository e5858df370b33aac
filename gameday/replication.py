"""Plays replications and scores each: in this process or in several, with the same result.

The rule that surprises: only the scores of a replication are handed on, with its timeline where it is asked for, and the whole record of
the first few only, so memory does not grow with their number. `gameday` reaches the simulator by name, so that it needs it only
when it runs one.
"""

from __future__ import annotations

import gc
import os
import pickle
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from itertools import islice, takewhile
from multiprocessing import active_children, get_context, parent_process
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from gameday.errors import GamedayError
from gameday.interrupts import signals_blocked

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from gameday.scenario.model import Scenario
    from gameday.scores import Recording, ReplicationScores

AHEAD = 2
"""Tasks handed to a worker beyond the one it plays: enough to keep it busy, few enough to stop soon."""
SCENARIOS_KEPT: Final = 16
"""Scenarios that a worker keeps built, so that a task of one of them begins at once."""


@dataclass(frozen=True, slots=True)
class Played:
    """One replication: its scores, its timeline as written where it was asked for, and for one of the first its whole record."""

    replication: int
    scores: ReplicationScores
    timeline: bytes
    """Empty when the task asked for none."""
    recording: Recording | None
    """There for replications below the task's `recorded`."""
    jumped: float = 0.0
    """Share of the day that was drawn from seconds already played instead of being played."""


@dataclass(frozen=True, slots=True)
class Task:
    """Some replications of one scenario, as they are handed to a worker."""

    scenario: bytes
    """Pickled: a worker that has it already does not read it again."""
    key: str
    """Digest of `scenario`."""
    seed: int
    replications: tuple[int, ...]
    recorded: int = 0
    """Replications below this number come back with their whole record."""
    timelines: bool = False
    """Whether they come back with their timelines."""
    quiet: bool = False
    """Whether quiet stretches are jumped over."""
    group: int = 0
    """Whatever the caller wants to know it by."""


class Plays(Protocol):
    """Whatever plays tasks: this process, worker processes, a cluster."""

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, list[Played]], None, None]:
        """The tasks with what was played, in order of their end. Closing the iterator early ends the playing at once."""
        ...

    @property
    def width(self) -> int:
        """How many tasks are played at the same time."""
        ...


def packed(scenario: Scenario) -> tuple[bytes, str]:
    """A scenario as a task carries it, and its key."""
    content = pickle.dumps(scenario)
    return content, sha256(content).hexdigest()


def play(
    scenario: Scenario,
    seed: int,
    replications: int,
    jobs: int,
    more: Callable[[], bool] = lambda: True,
    *,
    quiet: bool = False,
) -> Generator[Played, None, None]:
    """Play replications 0 ... n-1, in order of their end when `jobs` > 1. The first `jobs` come with their whole record.

    `quiet`: quiet stretches are jumped over, but in replication 0, whose whole record is shown, unless it is the only one.
    Once `more` says no, none is begun any more; what was begun is finished, because those that take long must not be left out.
    Closing the iterator (also by an exception or Ctrl-C in the caller) ends the workers at once; nothing half-played is kept.
    GamedayError when a worker dies.
    """
    jobs = max(1, min(jobs, replications))
    content, key = packed(scenario)
    wanted = takewhile(lambda number: number == 0 or more(), range(replications))
    tasks = (
        Task(content, key, seed, (number,), recorded=jobs, timelines=True, quiet=quiet and (number > 0 or replications == 1))
        for number in wanted
    )
    with Workers(jobs) as workers:
        for _, played in workers.run(tasks):
            yield from played


class Workers:
    """Processes that play tasks, started once for as many as come; with one job, this process alone."""

    def __init__(self, jobs: int) -> None:
        """Nothing is started before the first task."""
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._others: set[BaseProcess] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(kill=kind is not None)

    @property
    def width(self) -> int:
        """Processes."""
        return self._jobs

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, list[Played]], None, None]:
        """The tasks with what was played. GamedayError when a worker dies, after what was finished before."""
        if self._jobs <= 1:
            for task in tasks:
                yield task, perform(task)
            return
        waiting_tasks = iter(tasks)
        finished = False
        try:
            waiting = self._submit(islice(waiting_tasks, self._jobs * (1 + AHEAD)))
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                # What was finished before a worker died is handed out before the error.
                for future in sorted(done, key=lambda one: one.exception() is not None):
                    yield waiting.pop(future), future.result()
                waiting |= self._submit(islice(waiting_tasks, len(done)))
            finished = True
        except BrokenProcessPool as error:
            message = "a worker process died (it was killed, or the machine ran out of memory); fewer --jobs need less memory"
            raise GamedayError(message) from error
        finally:
            if not finished:
                self._end(kill=True)

    def _submit(self, tasks: Iterator[Task]) -> dict[Future[list[Played]], Task]:
        """Hand out tasks; workers are started here, and Ctrl-C on the terminal is not for them."""
        if self._pool is None:
            self._others = set(active_children())
            self._pool = ProcessPoolExecutor(self._jobs, get_context("spawn"), _begin_worker)
        pool = self._pool
        with signals_blocked():
            return {pool.submit(_perform_in_worker, task): task for task in tasks}

    def _end(self, *, kill: bool) -> None:
        if self._pool is None:
            return
        with signals_blocked():
            if kill:
                for child in set(active_children()) - self._others:
                    child.kill()
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


class _Player:
    """Plays replications of one scenario; builds what they share once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._run: Callable[..., Recording] = import_module("sim").run
        self._wiring: Any = import_module("sim.wiring").build(scenario)
        # What is there by now stays: the collector need not go through it again and again while days are played. What only looks as if it
        # stayed, such as the world of another scenario's last day, goes first.
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def play(self, task: Task, replication: int) -> Played:
        """Play a day of the task's scenario and score it; what it leaves in memory is collected before the next."""
        from gameday.scores import replication_scores, score

        traced = replication < task.recorded
        recording = self._run(self._scenario, task.seed, replication, self._wiring, traced=traced, quiet=task.quiet)
        card = score(recording, self._scenario)
        scores = replication_scores(card, recording, self._scenario, replication)
        timeline = recording.timeline.to_bytes() if task.timelines else b""
        jumped = recording.jumped_s / self._scenario.duration
        # The world of a day refers to itself in circles. What survives now (imports, mostly) is not gone through again for the next day.
        gc.collect()
        gc.freeze()
        return Played(replication, scores, timeline, recording if traced else None, jumped)


_players: dict[str, _Player] = {}


def perform(task: Task) -> list[Played]:
    """Play a task in this process."""
    player = _players.get(task.key)
    if player is None:
        while len(_players) >= SCENARIOS_KEPT:
            del _players[next(iter(_players))]
        player = _players[task.key] = _Player(pickle.loads(task.scenario))  # noqa: S301 - made by `packed`, in this run
    return [player.play(task, replication) for replication in task.replications]


def _begin_worker() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)


def _perform_in_worker(task: Task) -> list[Played]:
    try:
        return perform(task)
    except GamedayError as error:
        # Its subclasses do not survive the way between processes; what the user reads does.
        raise GamedayError(str(error)) from None
