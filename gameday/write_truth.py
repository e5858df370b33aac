"""What became of the writes of a database's own clients: pure functions over what they were told and what the surviving database has.

The writers of a live day and the witnesses of a simulated one are judged by the same. Three outcomes, as Jepsen has them: ok
(acknowledged), failed (certainly not done), indeterminate (nobody can know). The rule that surprises: an indeterminate write is neither a
success nor a loss, wherever it is found in the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

PER_SECOND: Final = 10.0
"""Writes a second of one client, where the scenario does not say otherwise."""
WITHIN_S: Final = 3
"""Time a client waits for an answer."""
Outcome = Literal["ok", "failed", "indeterminate"]


@dataclass(frozen=True, slots=True)
class Write:
    """One write as its client knows it."""

    id: str
    via: str
    """Node it was sent to, or `gateway/<region>`."""
    outcome: Outcome
    began: float
    ended: float
    """Instants of the run, seconds."""


@dataclass(frozen=True, slots=True)
class SetResult:
    """The set checker's findings."""

    attempted: int
    acknowledged: int
    lost: tuple[Write, ...]
    """Acknowledged and gone, in order of their acknowledgement."""
    indeterminate: int
    recovered: int
    """Indeterminate and there."""
    unexpected: tuple[str, ...]
    """There, and never attempted, or certainly failed."""

    @property
    def surviving(self) -> int:
        """Acknowledged and still there."""
        return self.acknowledged - len(self.lost)


def check_set(writes: Iterable[Write], final: Collection[str]) -> SetResult:
    """Acknowledged writes against what is there at the end."""
    there, known = set(final), list(writes)
    acknowledged = [write for write in known if write.outcome == "ok"]
    open_ended = {write.id for write in known if write.outcome == "indeterminate"}
    may_be_there = {write.id for write in acknowledged} | open_ended
    lost = sorted((write for write in acknowledged if write.id not in there), key=lambda write: write.ended)
    unexpected = tuple(sorted(there - may_be_there))
    return SetResult(len(known), len(acknowledged), tuple(lost), len(open_ended), len(open_ended & there), unexpected)


@dataclass(frozen=True, slots=True)
class Dual:
    """A time in which two nodes acknowledged writes."""

    old: str
    new: str
    start: float
    end: float
    conflicting: int
    """Writes the old one acknowledged in that time."""


def dual_primaries(writes: Iterable[Write], nodes: Collection[str], gap_s: float = 1.0) -> list[Dual]:
    """Times in which a node went on acknowledging after another had begun to.

    Only writes pinned to a node tell; a node that pauses for more than `gap_s` has stopped and begun again.
    """
    turns: dict[str, list[tuple[float, float]]] = {}
    acked = sorted((write for write in writes if write.outcome == "ok" and write.via in nodes), key=lambda write: write.ended)
    for write in acked:
        spans = turns.setdefault(write.via, [])
        if spans and write.ended - spans[-1][1] <= gap_s:
            spans[-1] = (spans[-1][0], write.ended)
        else:
            spans.append((write.ended, write.ended))
    found = []
    for old, spans in turns.items():
        for new, others in turns.items():
            for start, end in spans:
                for begun, until in others:
                    if old != new and start < begun <= end:
                        last = min(end, until)
                        count = sum(write.via == old and begun <= write.ended <= last for write in acked)
                        found.append(Dual(old, new, begun, last, count))
    return sorted(found, key=lambda dual: dual.start)


def oldest_lost_s(lost: Sequence[Write]) -> float | None:
    """Age of the oldest lost write when the node that had acknowledged it stopped taking writes; None when nothing was lost.

    `lost`: in order of their acknowledgement. The last that was lost on the same way tells when the node stopped: what the way acknowledged
    later, another node has taken.
    """
    if not lost:
        return None
    return max(write.ended for write in lost if write.via == lost[0].via) - lost[0].ended


def bank_is_whole(totals: Iterable[int], wanted: int) -> bool:
    """Whether every snapshot of all accounts held the same money."""
    return all(total == wanted for total in totals)


def stale_reads(reads: Iterable[tuple[float, int]], acknowledged: Sequence[tuple[float, int]], limit_s: float) -> int:
    """Reads (begin, newest number seen) that lacked a number acknowledged more than `limit_s` before they began.

    `acknowledged`: (instant, number) of one writer, in order; its numbers grow.
    """
    found = 0
    for began, seen in reads:
        due = [number for at, number in acknowledged if at <= began - limit_s]
        found += bool(due) and seen < due[-1]
    return found
