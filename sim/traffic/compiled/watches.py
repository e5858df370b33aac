"""The table of watched conditions of a compiled engine, as Python sets, drops and reads it.

The rule that surprises: a watch that has fired stays in the table until it is taken, and is passed over.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.traffic.compiled import layout as at
from sim.traffic.compiled.tables import Tables
from sim.traffic.watching import ALL, Watch

_KINDS = {
    "busy": at.WATCH_BUSY,
    "queued": at.WATCH_QUEUED,
    "utilisation": at.WATCH_UTILISATION,
    "held": at.WATCH_HELD,
    "in_flight": at.WATCH_IN_FLIGHT,
    "lost": at.WATCH_LOST,
    "breaker_open": at.WATCH_BREAKER,
}


def set_watch(tables: Tables, watch: Watch) -> int:
    """Put a condition that has been checked into the table; returns its number."""
    arena = tables.arena
    count = arena.word[at.H_WATCH_COUNT]
    if count == arena.word[at.H_WATCH_LIMIT]:
        limit = 2 * count + 8
        table = arena.take(limit * at.WATCH_WORDS)
        old, words = arena.word[at.H_WATCHES], arena.words
        words[table : table + count * at.WATCH_WORDS] = words[old : old + count * at.WATCH_WORDS]
        arena.word[at.H_WATCHES], arena.word[at.H_WATCH_LIMIT] = table, limit
    word, real = arena.word, arena.real
    number = word[at.H_WATCH_NUMBER] + 1
    record = word[at.H_WATCHES] + count * at.WATCH_WORDS
    word[at.H_WATCH_NUMBER], word[at.H_WATCH_COUNT] = number, count + 1
    word[record + at.W_NUMBER] = number
    word[record + at.W_WHAT] = _KINDS[watch.what]
    word[record + at.W_SUBJECT] = _subject(tables, watch)
    word[record + at.W_AT_LEAST] = watch.at_least is not None
    real[record + at.W_BOUND] = float((watch.at_most or 0.0) if watch.at_least is None else watch.at_least)
    real[record + at.W_LASTING] = watch.lasting_s
    real[record + at.W_SINCE] = -1.0
    word[record + at.W_FIRED] = 0
    return number


def _subject(tables: Tables, watch: Watch) -> int:
    if watch.what == "lost":
        return at.H_LOST_ALL if watch.subject == ALL else tables.flows[watch.subject] + at.F_LOST_ALL
    if watch.what == "in_flight":
        return tables.flows[watch.subject]
    if watch.what == "breaker_open":
        return tables.edge(watch.subject)
    return tables.instances[watch.subject][watch.instance] if watch.what == "held" else tables.station(watch.subject)


def take_fired(tables: Tables) -> list[int]:
    """Numbers of those that have fired, which leave the table."""
    return _leave(tables, lambda _number, fired: fired)


def drop_watch(tables: Tables, number: int) -> None:
    """Watch it no more, whether it has fired or not."""
    _leave(tables, lambda each, _fired: each == number)


def _leave(tables: Tables, leaves: Callable[[int, bool], bool]) -> list[int]:
    word, words = tables.arena.word, tables.arena.words
    first, count = word[at.H_WATCHES], word[at.H_WATCH_COUNT]
    rows = words[first : first + count * at.WATCH_WORDS].reshape(count, at.WATCH_WORDS)
    gone = [leaves(int(row[at.W_NUMBER]), bool(row[at.W_FIRED])) for row in rows]
    numbers = [int(row[at.W_NUMBER]) for row, each in zip(rows, gone, strict=True) if each]
    kept = rows[[not each for each in gone]]
    rows[: len(kept)] = kept
    word[at.H_WATCH_COUNT] = len(kept)
    return numbers
