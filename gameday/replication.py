"""Plays many replications and scores each: in this process or in several, with the same result.

The rule that surprises: only the scores of a replication are kept, plus the whole record of the first and of the five worst, so memory
does not grow with their number. `gameday` reaches the simulator by name, so that it needs it only when it runs one.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import active_children, get_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.scores import Recording, ReplicationScores

CHUNKS_AHEAD = 2
"""Replications handed to a worker beyond the one it plays: enough to keep it busy, few enough to stop soon."""


@dataclass(frozen=True, slots=True)
class Played:
    """One replication: its scores, its timeline as written, and for the first its whole record."""

    replication: int
    scores: ReplicationScores
    timeline: bytes
    recording: Recording | None


def play(scenario: Scenario, seed: int, replications: int, jobs: int) -> Iterator[Played]:
    """Play replications 0 … n-1, in order of their end when `jobs` > 1.

    Closing the iterator (also by an exception or Ctrl-C in the caller) ends the workers at once; nothing half-played is kept.
    """
    if jobs <= 1 or replications == 1:
        yield from _here(scenario, seed, replications)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin_worker, (scenario, seed)) as pool:
        waiting: set[Future[Played]] = set()
        numbers = iter(range(replications))
        try:
            for number, _ in zip(numbers, range(jobs * (1 + CHUNKS_AHEAD)), strict=False):
                waiting.add(pool.submit(_play_in_worker, number))
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    following = next(numbers, None)
                    if following is not None:
                        waiting.add(pool.submit(_play_in_worker, following))
                    yield future.result()
        except BaseException:
            for future in waiting:
                future.cancel()
            for child in active_children():
                child.terminate()
            raise


def _here(scenario: Scenario, seed: int, replications: int) -> Iterator[Played]:
    player = _Player(scenario, seed)
    for replication in range(replications):
        yield player.play(replication)


class _Player:
    """Plays replications of one scenario; builds what they share once."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        self._seed = seed
        self._run: Callable[..., Recording] = import_module("sim").run
        self._wiring: Any = import_module("sim.wiring").build(scenario)

    def play(self, replication: int) -> Played:
        from gameday.scores import replication_scores, score

        recording = self._run(self._scenario, self._seed, replication, self._wiring)
        card = score(recording, self._scenario)
        scores = replication_scores(card, recording, self._scenario, replication)
        return Played(replication, scores, recording.timeline.to_bytes(), recording if replication == 0 else None)


_player: _Player | None = None


def _begin_worker(scenario: Scenario, seed: int) -> None:
    """A worker ignores Ctrl-C: the parent decides, and ends it."""
    global _player  # noqa: PLW0603 - a worker process serves one run
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    _player = _Player(scenario, seed)


def _play_in_worker(replication: int) -> Played:
    assert _player is not None, "the worker was begun"
    return _player.play(replication)
