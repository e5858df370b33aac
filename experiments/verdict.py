"""The verdict of a live day: what the scores say, unless the day did not show it.

The rule that surprises: a day on which a fault could not be proven, or on which the load generator could not keep up, is inconclusive
however good its scores are. It is never a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from gameday.load_stream import LoadStream

Word = Literal["met", "not_met", "inconclusive"]
DROPPED_RATIO: Final = 0.01
"""Share of arrivals that the generator may drop."""
LATE_S: Final = 1.0
"""How late the generator may send."""


@dataclass(slots=True)
class Circumstances:
    """What else is known about a day."""

    unproven: Sequence[str] = ()
    failed: Sequence[str] = ()
    not_steady_before: bool = False
    not_steady_after: Sequence[str] = ()
    not_healed: Sequence[str] = ()
    stopped: str | None = None
    """Why a guard stopped it."""
    interrupted: bool = False
    reasons: list[str] = field(default_factory=list)


def generator_problems(stream: LoadStream) -> list[str]:
    """Why the load was not what the scenario asks for."""
    total, found = stream.total(), []
    if not total.offered:
        return ["the load generator sent nothing"]
    if total.dropped > DROPPED_RATIO * (total.offered + total.dropped):
        found.append(f"the load generator dropped {total.dropped} of {total.offered + total.dropped} arrivals")
    late_s = max((note["late_s"] for note in stream.notes if "late_s" in note and note["t"] > 5), default=0.0)
    if late_s > LATE_S:
        found.append(f"the load generator was up to {late_s:.1f} s late")
    return found


def judged(scored: Word, circumstances: Circumstances, generator: Sequence[str]) -> tuple[Word, list[str]]:
    """The verdict and the reasons for it, the ones that decide first."""
    failing = [f"not healed: {each}" for each in circumstances.not_healed]
    failing += [f"not steady after healing: {each}" for each in circumstances.not_steady_after]
    if circumstances.stopped:
        failing.append(f"stopped: {circumstances.stopped}")
    if failing:
        return "not_met", failing
    open_points = ["the steady state was not met before anything was broken"] if circumstances.not_steady_before else []
    open_points += [f"not proven to bite: {each}" for each in circumstances.unproven]
    open_points += [f"failed: {each}" for each in circumstances.failed]
    open_points += generator
    if circumstances.interrupted:
        open_points.append("interrupted")
    return ("inconclusive", open_points) if open_points else (scored, [])
