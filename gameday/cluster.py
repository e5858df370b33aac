"""Workers of a Dask cluster, by the address of its scheduler: the same tasks, the same results, anywhere.

The rule that surprises: a worker of another version is refused before anything is played, because rows of two versions would be two
different things. A worker that dies is no error: Dask gives its tasks to another, and a task played twice gives the same numbers.
"""

from __future__ import annotations

import platform
from collections.abc import Generator, Iterable, Mapping
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self

from gameday.errors import GamedayError, MissingExtra
from gameday.replication import AHEAD, Played, Task, perform

if TYPE_CHECKING:
    from types import TracebackType

CONNECT_S: Final = 20
"""Longest wait for the scheduler."""
WORKERS_S: Final = 60
"""Longest wait for a first worker."""


class Cluster:
    """The workers of a scheduler, as something that plays tasks."""

    def __init__(self, address: str) -> None:
        """Connects, and checks every worker. GamedayError when nobody answers or a worker differs; MissingExtra without Dask."""
        try:
            distributed: Any = import_module("distributed")
        except ImportError as error:
            raise MissingExtra("--cluster", "cluster") from error
        try:
            self._client: Any = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise GamedayError(f"cannot reach a Dask scheduler at {address}: {_first_line(error)}") from error
        try:
            self._client.wait_for_workers(1, timeout=WORKERS_S)
            check_versions(address, self._client.run(versions))
        except TimeoutError as error:
            self._client.close()
            raise GamedayError(f"the scheduler at {address} has no workers") from error
        except BaseException:
            self._client.close()
            raise
        self._address = address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    @property
    def width(self) -> int:
        """Threads of all workers that are there now."""
        threads: Mapping[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, list[Played]], None, None]:
        """The tasks with what was played, in order of their end. Closing the iterator early cancels what is left."""
        distributed: Any = import_module("distributed")

        left = iter(tasks)
        running: dict[str, tuple[Any, Task]] = {}

        def submitted(count: int) -> list[Any]:
            found = []
            for task in islice(left, count):
                future = self._client.submit(perform_checked, task, versions(), pure=False, retries=0)
                running[future.key] = future, task
                found.append(future)
            return found

        completed = distributed.as_completed(submitted(self.width * (1 + AHEAD)), loop=self._client.loop)
        try:
            for future in completed:
                _, task = running.pop(future.key)
                yield task, future.result()
                future.release()
                # Workers may have come or gone: hand out as many as are needed to keep those that are there busy.
                for fresh in submitted(max(0, self.width * (1 + AHEAD) - len(running))):
                    completed.add(fresh)
        except distributed.KilledWorker as error:
            raise GamedayError(
                f"workers of {self._address} died again and again under the same task: {_first_line(error)}"
            ) from error
        except OSError as error:
            raise GamedayError(f"the scheduler at {self._address} is gone: {_first_line(error)}") from error
        finally:
            self._client.cancel([future for future, _ in running.values()], force=True)


def versions() -> dict[str, str]:
    """What has to be the same everywhere for the same numbers: gameday with its code, and what it computes with."""
    import numba
    import numpy as np

    from gameday import __version__

    return {
        "gameday": __version__,
        "code": code_digest(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": np.__version__,
        "numba": str(numba.__version__),
    }


_digest: str | None = None


def code_digest() -> str:
    """Digest of the source of gameday and of its simulator, so that two checkouts of one version are told apart."""
    global _digest  # noqa: PLW0603 - the code of a process does not change
    if _digest is None:
        from hashlib import sha256
        from importlib.util import find_spec
        from pathlib import Path

        found = sha256()
        for package in ("gameday", "sim"):
            spec = find_spec(package)
            assert spec is not None, f"{package} is installed with us"
            for place in spec.submodule_search_locations or ():
                for file in sorted(Path(place).rglob("*.py")):
                    found.update(file.relative_to(place).as_posix().encode() + b"\0" + file.read_bytes())
        _digest = found.hexdigest()
    return _digest


def check_versions(address: str, of_workers: Mapping[str, Mapping[str, str]]) -> None:
    """GamedayError that names every worker which differs from us, and in what."""
    ours = versions()
    wrong: list[str] = []
    for worker, theirs in of_workers.items():
        differing = [
            f"{name} {theirs.get(name, 'none')[:12]} instead of {value[:12]}"
            for name, value in ours.items()
            if theirs.get(name) != value
        ]
        if differing:
            wrong.append(f"  {worker}: {', '.join(differing)}")
    if wrong:
        raise GamedayError("\n".join([f"workers of {address} would not give the same numbers:", *wrong]))


def perform_checked(task: Task, expected: Mapping[str, str]) -> list[Played]:
    """Play a task on a worker, unless it came late and is of another version. GamedayError as one that survives the way back."""
    if versions() != expected:
        check_versions("the cluster", {"a worker that joined later": versions()})
    try:
        return perform(task)
    except GamedayError as error:
        raise GamedayError(str(error)) from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
