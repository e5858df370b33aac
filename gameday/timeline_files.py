"""Timelines on disk: JSON Lines, a header first, then one event a line.

The rule that surprises: a last line that was cut off is what a crash leaves behind, so it is reported in `warnings` and
not refused; a line that is broken anywhere else is. Kinds and keys that we do not know are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

from gameday.atomic_files import cannot, write_atomically
from gameday.errors import BadInput, Problem, shown
from gameday.timeline import FORMAT_VERSION, JSON, Event, Timeline, check, encoded, header_line, merge_timelines
from gameday.timeline_kinds import KINDS, kind_problems

_MOST_SHOWN: Final = 20
_SOURCES: Final = ("sim", "live", "human")


class TimelineWriter:
    """Appends events to a file of its own as they happen; for one process of a live run.

    Every event is one write to the operating system, so the death of the process loses none that was written.
    """

    def __init__(self, path: Path, header: Mapping[str, JSON] | None = None) -> None:
        """Creates the file; GamedayError when it exists, for another process may be writing it."""
        self._path = path
        try:
            self._handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o666)
        except OSError as error:
            raise cannot("create", path, error) from error
        self._put(header_line(header or {}))

    def write(self, event: Event) -> None:
        """Append an event of ours. GamedayError when the operating system refuses."""
        check(event)
        self._put(event.line())

    def close(self) -> None:
        """Bring everything to the disk and close the file; closing twice is harmless."""
        if self._handle < 0:
            return
        handle, self._handle = self._handle, -1
        try:
            os.fsync(handle)
        except OSError as error:
            raise cannot("write", self._path, error) from error
        finally:
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _put(self, line: str) -> None:
        assert self._handle >= 0, "a closed timeline takes no events"
        content = encoded(f"{line}\n")
        try:
            # One call for the whole line, so that threads of one process cannot mix theirs. A nearly full disk takes a
            # part; the next call then says why.
            while content:
                content = content[os.write(self._handle, content) :]
        except OSError as error:
            raise cannot("write", self._path, error) from error


def write_timeline(path: Path, timeline: Timeline) -> str:
    """Write a whole timeline, whole or not at all; returns its digest."""
    write_atomically(path, timeline.to_bytes())
    return timeline.digest()


def read_timeline(path: Path) -> Timeline:
    """Read one file. BadInput with all broken lines; GamedayError when it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise cannot("read", path, error) from error
    return parse_timeline(content, str(path))


def read_timelines(paths: Iterable[Path]) -> Timeline:
    """Read the files of several processes into one timeline; at the same time, the earlier file's events come first."""
    return merge_timelines([read_timeline(path) for path in paths])


def parse_timeline(content: bytes, name: str) -> Timeline:
    """A timeline from the bytes of a file; `name` is what messages call it."""
    *lines, rest = content.split(b"\n")
    reader = _Reader(name)
    for number, line in enumerate(lines, start=1):
        reader.take(number, line)
    if rest.strip():
        reader.take(len(lines) + 1, rest, may_be_cut_off=True)
    return reader.timeline()


class _Reader:
    """Takes the lines of one file and collects events, problems and warnings."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._header: Mapping[str, JSON] | None = None
        self._events: list[Event] = []
        self._broken: list[Problem] = []
        self._warnings: list[str] = []

    def take(self, number: int, line: bytes, *, may_be_cut_off: bool = False) -> None:
        """Read one line. Without a header nothing can be understood, so the first problem is then the only one."""
        if not line.strip() or (self._broken and self._header is None):
            return
        try:
            record = _record(line)
        except ValueError as error:
            # Every line of ours begins with a brace: a file that does not is no timeline, cut off or not.
            if may_be_cut_off and line.startswith(b"{"):
                self._warnings.append(f"{self._name}:{number}: the last line is cut off; whoever wrote it stopped while writing")
            else:
                self._refuse(number, line, str(error))
            return
        try:
            if self._header is None:
                self._header = _header(record)
            else:
                self._keep(number, _event(record))
        except ValueError as error:
            self._refuse(number, line, str(error))
        except RecursionError:
            self._refuse(number, line, "is nested too deeply")

    def timeline(self) -> Timeline:
        """What was read. BadInput when a line was broken."""
        if self._broken:
            raise BadInput(self._broken)
        warnings = self._warnings
        if self._header is None:
            warnings = [f"{self._name}: there is no header; whoever wrote it stopped at once", *warnings]
        more = len(warnings) - _MOST_SHOWN
        if more > 0:
            warnings = [*warnings[:_MOST_SHOWN], f"{self._name}: {more} more warnings"]
        return Timeline(self._header, self._events, warnings)

    def _keep(self, number: int, event: Event) -> None:
        self._events.append(event)
        if event.kind in KINDS:  # others cannot be judged
            problems = kind_problems(event.kind, event.subject, event.data)
            self._warnings += (f"{self._name}:{number}: {problem}" for problem in problems)

    def _refuse(self, number: int, line: bytes, message: str) -> None:
        self._broken.append(Problem(self._name, number, None, "", shown(line.decode("utf-8", "replace")), message))


def _record(line: bytes) -> dict[str, JSON]:
    """ValueError unless the line is one JSON object without NaN and infinities."""
    try:
        record = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    if not isinstance(record, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - broken input is a ValueError here, whatever is broken
    return record


def _header(record: dict[str, JSON]) -> dict[str, JSON]:
    version = record.pop("timeline", None)
    if version is None:
        raise ValueError(f'the first line of a timeline is a header such as {{"timeline":{FORMAT_VERSION}}}')
    if version != FORMAT_VERSION:
        raise ValueError(f"this is version {version!r} of the format, and this gameday reads version {FORMAT_VERSION}")
    return record


def _event(record: dict[str, JSON]) -> Event:
    kind, subject = record.get("kind"), record.get("subject")
    source, data = record.get("source"), record.get("data", {})
    if not isinstance(kind, str) or not kind or not isinstance(subject, str):
        raise ValueError("kind and subject must be texts")
    if source not in _SOURCES:
        raise ValueError("source must be sim, live or human")
    if not isinstance(data, dict):
        raise ValueError("data must be a JSON object")  # noqa: TRY004 - as above
    t, wall = _seconds("t", record.get("t")), record.get("wall")
    return Event(t, kind, subject, source, data, None if wall is None else _seconds("wall", wall))


def _seconds(field: str, value: JSON) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{field} must be a number of seconds")  # noqa: TRY004 - as above
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"{field} is too large for a number of seconds") from error


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is too large for a number")
    return number
