"""Kinds of notes: what an engine did by itself that belongs on the record of the day.

The rule that surprises: a note is about a change of state only. A breaker whose trial fails opens again without one, and a panic that goes on
while its members change is one panic.
"""

from __future__ import annotations

BREAKER_CLOSED, BREAKER_OPENED, OUTLIER_EJECTED, OUTLIER_READMITTED, PANIC_STARTED, PANIC_ENDED = range(6)

NOTE_KINDS = (
    "breaker.closed",
    "breaker.opened",
    "outlier.ejected",
    "outlier.readmitted",
    "panic.started",
    "panic.ended",
)
"""Names on the timeline, by the numbers above."""
