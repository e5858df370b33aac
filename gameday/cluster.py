"""Workers of a Dask cluster, by the address of its scheduler: the same tasks, the same results, on any number of machines.

The rule that surprises: a worker of another build is refused before anything is played, because its rows would be rows of something else. A
worker that dies is no error: Dask hands its tasks to another, and a task that is played twice gives the same numbers.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Generator, Iterable, Mapping
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self

from gameday.errors import GamedayError, MissingExtra
from gameday.fingerprint import fingerprint
from gameday.interrupts import signals_blocked
from gameday.replication import AHEAD, Played, Task, perform

if TYPE_CHECKING:
    from types import TracebackType

ADDRESS: Final = re.compile(r"(?:(?:tcp|tls|ws|wss)://)?[^\s/]+:\d+")
CONNECT_S: Final = 15
"""Longest wait for the scheduler."""
WORKERS_S: Final = 60
"""Longest wait for a worker where there is none."""


class Cluster:
    """The workers of a scheduler, as something that plays tasks."""

    def __init__(self, address: str, connect_s: float = CONNECT_S, workers_s: float = WORKERS_S) -> None:
        """Connects, and checks every worker. GamedayError when nobody answers or a worker differs; MissingExtra without Dask."""
        if not ADDRESS.fullmatch(address):
            raise GamedayError(f"'{address[:60]}' is no address of a Dask scheduler, e.g. tcp://scheduler:8786")
        try:
            self._dask: Any = import_module("distributed")
        except ImportError as error:
            raise MissingExtra("--cluster", "cluster") from error
        for name in ["distributed", *(one for one in logging.root.manager.loggerDict if one.startswith("distributed."))]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it, we say ourselves
        self._address, self._workers_s = address, workers_s
        self.cold = 0
        """Workers that will compile the traffic engine in their first task."""
        self._ours = fingerprint()
        try:
            with signals_blocked():  # Ctrl-C is for the main thread alone
                self._client: Any = self._dask.Client(address, timeout=connect_s, set_as_default=False)
        except (OSError, ValueError) as error:
            raise GamedayError(f"cannot reach a Dask scheduler at {address}: {_first_line(error)}") from error
        try:
            self._check_workers()
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    @property
    def width(self) -> int:
        """Workers that are there now. Each plays one task at a time, whatever its threads."""
        return max(1, len(self._client.nthreads()))

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, list[Played]], None, None]:
        """The tasks with what was played, in order of their end. Closing the iterator early cancels what is left.

        GamedayError when the scheduler is gone, no worker is left, or a worker that joined later is of another build.
        """
        left = iter(tasks)
        running: dict[Any, Task] = {}
        try:
            while True:
                # Workers may have come or gone: hand out as many as keep those that are there busy.
                for task in islice(left, max(0, self.width * (1 + AHEAD) - len(running))):
                    running[self._client.submit(perform_checked, task, self._ours, pure=False)] = task
                if not running:
                    return
                for future in self._finished(list(running)):
                    yield running.pop(future), future.result()
                    future.release()
        except self._dask.scheduler.KilledWorker as error:
            raise GamedayError(f"{self._address}: one task after another killed its worker: {_first_line(error)}") from error
        except (OSError, self._dask.CancelledError) as error:
            raise GamedayError(f"the Dask scheduler at {self._address} is gone; what was finished is kept") from error
        finally:
            self._cancel(list(running))

    def _finished(self, running: list[Any]) -> list[Any]:
        """The tasks that are done, at least one."""
        while True:
            try:
                with self._client.as_current():
                    done, _ = self._dask.wait(running, timeout=self._workers_s, return_when="FIRST_COMPLETED")
            except TimeoutError as error:
                if not self._client.nthreads():
                    message = (
                        f"the scheduler at {self._address} has had no worker for {self._workers_s:g} s; what was finished is kept"
                    )
                    raise GamedayError(message) from error
            else:
                return [future for future in running if future in done]

    def _check_workers(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=self._workers_s)
        except TimeoutError as error:
            raise GamedayError(f"the scheduler at {self._address} has no workers") from error
        check_workers(self._address, self._ours, self._client.run(fingerprint, on_error="return"))
        self.cold = sum(found is True for found in self._client.run(is_cold, on_error="return").values())

    def _cancel(self, futures: list[Any]) -> None:
        if futures and self._client.status == "running":
            with signals_blocked():
                self._client.cancel(futures, force=True)

    def _close(self) -> None:
        with signals_blocked():
            self._client.close(timeout=2)


def check_workers(address: str, ours: Mapping[str, str], of_workers: Mapping[str, object]) -> None:
    """GamedayError that names every worker whose fingerprint is not ours, and in what it differs."""
    wrong: list[str] = []
    for worker, theirs in of_workers.items():
        if not isinstance(theirs, Mapping):
            wrong.append(f"  {worker}: cannot import this gameday: {_first_line(theirs)}")
            continue
        differing = [
            f"{name} {str(theirs.get(name, 'none'))[:12]} instead of {value[:12]}"
            for name, value in ours.items()
            if theirs.get(name) != value
        ]
        if differing:
            wrong.append(f"  {worker}: {', '.join(differing)}")
    if wrong:
        raise GamedayError("\n".join([f"workers of {address} would not give the same numbers:", *wrong]))


# -- what runs on workers -------------------------------------------------------------------------------------------------

_one_at_a_time = threading.Lock()
"""A process plays one replication at a time; a worker with more threads than one gains nothing by them."""


def perform_checked(task: Task, expected: Mapping[str, str]) -> list[Played]:
    """Play a task, unless this worker joined late and is of another build. GamedayError as one that survives the way back."""
    check_workers("the cluster", expected, {"a worker that joined later": fingerprint()})
    try:
        with _one_at_a_time:
            return perform(task)
    except GamedayError as error:
        raise GamedayError(str(error)) from None


def is_cold() -> bool:
    """Whether the first task on this worker will compile the traffic engine."""
    return bool(import_module("sim.traffic.engines").is_cold())


def _first_line(error: object) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
