"""What happened in a run, in order of time: the only thing a scorer reads.

The rule that surprises: two events of the same microsecond stay in the order in which they were added, and the same run
gives the same bytes. Times are rounded when an event is made, so what is in memory is what will be read back.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal, TypeAlias, overload

from gameday.series import Series, SeriesSet
from gameday.timeline_kinds import KINDS, kind_problems

__all__ = ["FORMAT_VERSION", "JSON", "KINDS", "Event", "Events", "Series", "SeriesSet", "Source", "Timeline", "merge_timelines"]

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
Source = Literal["sim", "live", "human"]

FORMAT_VERSION: Final = 1
"""Version of the file format; the value of `timeline` in a file's first record."""

_TIME_DECIMALS: Final = 6
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. Making one rounds its times to microseconds and copies its data into plain JSON."""

    t: float
    """Seconds from the start of the run."""
    kind: str
    """Noun and verb, `page.sent`; `KINDS` lists them."""
    subject: str
    """What it happened to, as a scenario selects it: `service/checkout`."""
    source: Source
    """Whether a simulation, a real system or a person caused it."""
    data: Mapping[str, JSON] = field(default_factory=dict, hash=False)
    """What the kind requires, and what it allows."""
    wall: float | None = None
    """Seconds since 1970 in UTC; None in a simulation."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "t", _rounded(self.t))
        object.__setattr__(self, "data", {str(key): plain_json(value, str(key)) for key, value in self.data.items()})
        if self.wall is not None:
            object.__setattr__(self, "wall", _rounded(self.wall))

    def number(self, key: str) -> float:
        """The number at `key`; KeyError when it is missing, TypeError when it is no number."""
        value = self.data[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{self.kind} at {self.t} s: {key} is {value!r}, not a number")
        return float(value)

    def text(self, key: str) -> str:
        """The text at `key`; KeyError when it is missing, TypeError when it is no text."""
        value = self.data[key]
        if not isinstance(value, str):
            raise TypeError(f"{self.kind} at {self.t} s: {key} is {value!r}, not a text")
        return value

    def line(self) -> str:
        """The event as one canonical line of JSON, without the line break."""
        record: dict[str, JSON] = {
            "t": self.t,
            "kind": self.kind,
            "subject": self.subject,
            "source": self.source,
            "data": self.data,
        }
        if self.wall is not None:
            record["wall"] = self.wall
        return _ENCODER.encode(record)


class Events(Sequence[Event]):
    """Events in order of time; asking for some of them gives `Events` again, so questions can be chained."""

    __slots__ = ("_events",)

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """Sorts by time; events of the same time keep the order in which they come."""
        self._events: list[Event] = sorted(events, key=_time)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Events: ...
    def __getitem__(self, index: int | slice) -> Event | Events:
        if isinstance(index, slice):
            return Events(self._events[index])
        return self._events[index]

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Events) and self._events == other._events

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} events>"

    def of(self, *patterns: str) -> Events:
        """Events whose kind is one of `patterns`; `*` and `?` stand for any text and any character (`page.*`)."""
        return self.where(lambda event: _matches(event.kind, patterns))

    def where(self, condition: Callable[[Event], bool]) -> Events:
        """Events for which `condition` is true."""
        return Events(event for event in self._events if condition(event))

    def between(self, start_s: float, end_s: float) -> Events:
        """Events with `start_s` <= t < `end_s`, so that windows that touch share none."""
        first, last = (bisect_left(self._events, time, key=_time) for time in (start_s, end_s))
        return Events(self._events[first:last])

    def first(self, kind: str, subject: str | None = None, after: float | None = None) -> Event | None:
        """The earliest event of `kind` (a pattern) about `subject` (exactly) with t >= `after`; None where there is none."""
        begin = 0 if after is None else bisect_left(self._events, after, key=_time)
        for event in self._events[begin:]:
            if _matches(event.kind, (kind,)) and (subject is None or event.subject == subject):
                return event
        return None


class Timeline(Events):
    """The events of one run. Events are added and never changed or taken away."""

    __slots__ = ("header", "warnings")

    def __init__(
        self, header: Mapping[str, JSON] | None = None, events: Iterable[Event] = (), warnings: Iterable[str] = ()
    ) -> None:
        """`events` are taken as they are (foreign kinds too). `header` goes into the first record of the file.

        For the same run to give the same bytes, the header of a simulation holds no wall time.
        """
        super().__init__(events)
        self.header: Mapping[str, JSON] = {
            key: plain_json(value, key) for key, value in (header or {}).items() if key != "timeline"
        }
        self.warnings: tuple[str, ...] = tuple(warnings)
        """What a reader of files noticed: a line cut off by a crash, events that lack a key. Empty for a timeline of ours."""

    def add(
        self,
        t: float,
        kind: str,
        subject: str,
        source: Source,
        data: Mapping[str, JSON] | None = None,
        wall: float | None = None,
    ) -> Event:
        """Make an event, check it against `KINDS` and put it where it belongs."""
        return self.append(Event(t, kind, subject, source, data or {}, wall))

    def append(self, event: Event) -> Event:
        """Put an event of ours where it belongs: after all events that are not later."""
        check(event)
        if not self._events or event.t >= self._events[-1].t:
            self._events.append(event)
        else:
            self._events.insert(bisect_right(self._events, event.t, key=_time), event)
        return event

    def to_bytes(self) -> bytes:
        """The timeline as a file: JSON Lines in UTF-8, the header first."""
        lines = [header_line(self.header), *(event.line() for event in self._events)]
        return encoded("".join(f"{line}\n" for line in lines))

    def digest(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return sha256(self.to_bytes()).hexdigest()


def merge_timelines(timelines: Sequence[Timeline], header: Mapping[str, JSON] | None = None) -> Timeline:
    """One timeline out of several, by time; at the same time the events of an earlier argument come first.

    Without a `header`, the merged one keeps what all headers agree on.
    """
    if header is None and timelines:
        first, *others = (timeline.header for timeline in timelines)
        header = {key: value for key, value in first.items() if all(key in other and other[key] == value for other in others)}
    return Timeline(
        header,
        (event for timeline in timelines for event in timeline),
        (warning for timeline in timelines for warning in timeline.warnings),
    )


def check(event: Event) -> None:
    """Fails (our bug) unless the event is of a known kind, has all its keys and no other, of the right types."""
    problems = kind_problems(event.kind, event.subject, event.data)
    if event.source not in ("sim", "live", "human"):
        problems.append(f"{event.kind}: the source is {event.source!r} and must be sim, live or human")
    assert not problems, f"event at {event.t} s: {'; '.join(problems)}"


def header_line(header: Mapping[str, JSON]) -> str:
    """The first record of a file, without the line break."""
    return _ENCODER.encode({**header, "timeline": FORMAT_VERSION})


def encoded(text: str) -> bytes:
    """UTF-8; half a surrogate pair, which UTF-8 cannot hold, is written as the JSON escape that stands for it."""
    return text.encode("utf-8", "backslashreplace")


def plain_json(value: object, where: str) -> JSON:
    """`value` copied into dicts, lists and plain scalars (numpy's become Python's); a bug of ours if it is not JSON."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        assert math.isfinite(value), f"{where} is {value}: a timeline holds finite numbers; leave the key out"
        return float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        assert all(isinstance(key, str) for key in value), f"{where} has keys that are not text"
        return {key: plain_json(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item, where) for item in value]
    item = getattr(value, "item", None)
    assert callable(item), f"{where} is a {type(value).__name__}, which JSON cannot hold"
    return plain_json(item(), where)


def _rounded(time: float) -> float:
    assert math.isfinite(time), f"a time is finite, not {time}"
    return round(float(time), _TIME_DECIMALS) + 0.0  # turns -0.0 into 0.0


def _time(event: Event) -> float:
    return event.t


@lru_cache(maxsize=4096)
def _matches(kind: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(kind, pattern) for pattern in patterns)
