"""Scores: what a run is worth, KPI by KPI, with the events that prove it.

    card = score(Recording(timeline, series), scenario)
    card.grade, card.dimensions["detection"].reason, card.result("detection.time_to_detect").value

The rule that surprises: nothing is loaded before it is asked for, so that the KPI table costs the command line's help nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from gameday.scores.model import DimensionScore, Evidence, Grade, Recording, Result, Scorecard
    from gameday.scores.replications import ReplicationScores, replication_scores
    from gameday.scores.scoring import score

__all__ = [
    "DimensionScore",
    "Evidence",
    "Grade",
    "Recording",
    "ReplicationScores",
    "Result",
    "Scorecard",
    "replication_scores",
    "score",
]

_HOMES: Final = {
    **dict.fromkeys(("DimensionScore", "Evidence", "Grade", "Recording", "Result", "Scorecard"), "model"),
    **dict.fromkeys(("ReplicationScores", "replication_scores"), "replications"),
    "score": "scoring",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
