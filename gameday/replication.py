"""Plays many replications and scores each: in this process or in several, with the same result.

The rule that surprises: only the scores of a replication are handed on, with its timeline, and the whole record of the first few only,
so memory does not grow with their number. `gameday` reaches the simulator by name, so that it needs it only when it runs one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from typing import TYPE_CHECKING, Any

from gameday.errors import GamedayError
from gameday.interrupts import signals_blocked

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.scores import Recording, ReplicationScores

AHEAD = 2
"""Replications handed to a worker beyond the one it plays: enough to keep it busy, few enough to stop soon."""


@dataclass(frozen=True, slots=True)
class Played:
    """One replication: its scores, its timeline as written, and for one of the first its whole record."""

    replication: int
    scores: ReplicationScores
    timeline: bytes
    recording: Recording | None
    """There for the first `jobs` replications: one of them is the lowest that is finished, at any time."""


def play(scenario: Scenario, seed: int, replications: int, jobs: int) -> Generator[Played, None, None]:
    """Play replications 0 ... n-1, in order of their end when `jobs` > 1.

    Closing the iterator (also by an exception or Ctrl-C in the caller) ends the workers at once; nothing half-played is kept.
    GamedayError when a worker dies.
    """
    jobs = min(jobs, replications)
    if jobs <= 1:
        player = _Player(scenario, seed, recorded=1)
        for replication in range(replications):
            yield player.play(replication)
        return
    yield from _play_in_workers(scenario, seed, replications, jobs)


def _play_in_workers(scenario: Scenario, seed: int, replications: int, jobs: int) -> Generator[Played, None, None]:
    others = set(active_children())
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin_worker, (scenario, seed, jobs))
    numbers = iter(range(replications))
    finished = False
    try:
        waiting = _submit(pool, islice(numbers, jobs * (1 + AHEAD)))
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            # What was finished before a worker died is handed out before the error.
            for future in sorted(done, key=lambda one: one.exception() is not None):
                yield future.result()
            waiting |= _submit(pool, islice(numbers, len(done)))
        finished = True
    except BrokenProcessPool as error:
        message = "a worker process died (it was killed, or the machine ran out of memory); fewer --jobs need less memory"
        raise GamedayError(message) from error
    finally:
        with signals_blocked():
            if not finished:
                for child in set(active_children()) - others:
                    child.kill()
            pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, numbers: Iterator[int]) -> set[Future[Played]]:
    """Hand out replications; workers are started here, and Ctrl-C on the terminal is not for them."""
    with signals_blocked():
        return {pool.submit(_play_in_worker, number) for number in numbers}


class _Player:
    """Plays replications of one scenario; builds what they share once."""

    def __init__(self, scenario: Scenario, seed: int, recorded: int) -> None:
        self._scenario = scenario
        self._seed = seed
        self._recorded = recorded
        self._run: Callable[..., Recording] = import_module("sim").run
        self._wiring: Any = import_module("sim.wiring").build(scenario)

    def play(self, replication: int) -> Played:
        from gameday.scores import replication_scores, score

        recording = self._run(self._scenario, self._seed, replication, self._wiring)
        card = score(recording, self._scenario)
        scores = replication_scores(card, recording, self._scenario, replication)
        return Played(replication, scores, recording.timeline.to_bytes(), recording if replication < self._recorded else None)


_task: tuple[Scenario, int, int] | None = None
_player: _Player | None = None


def _begin_worker(scenario: Scenario, seed: int, recorded: int) -> None:
    global _task  # noqa: PLW0603 - a worker process serves one run
    _task = scenario, seed, recorded
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)


def _play_in_worker(replication: int) -> Played:
    global _player  # noqa: PLW0603 - a worker process serves one run
    assert _task is not None, "the worker was begun"
    try:
        if _player is None:
            _player = _Player(*_task)
        return _player.play(replication)
    except GamedayError as error:
        # Its subclasses do not survive the way between processes; what the user reads does.
        raise GamedayError(str(error)) from None
