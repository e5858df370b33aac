"""Comparing instants (seconds from the start of the run) that went through floating-point arithmetic.

The rule that surprises: an instant counts as reached a microsecond early. A driver that waits `due - now` may arrive one rounding
error before `due`; without the tolerance it would be sent away and come back at the same instant for ever.
"""

from __future__ import annotations

from collections.abc import Iterable

SAME_INSTANT_S = 1e-6
"""Instants closer than this are the same instant."""


def reached(due_s: float, now_s: float) -> bool:
    """Whether `now_s` is at or after `due_s`."""
    return now_s >= due_s - SAME_INSTANT_S


def lasted(since_s: float, now_s: float, at_least_s: float) -> bool:
    """Whether at least `at_least_s` seconds have gone by since `since_s`."""
    return now_s - since_s >= at_least_s - SAME_INSTANT_S


def longer_than(since_s: float, now_s: float, limit_s: float) -> bool:
    """Whether strictly more than `limit_s` seconds have gone by since `since_s`."""
    return now_s - since_s > limit_s + SAME_INSTANT_S


def earliest(instants: Iterable[float | None]) -> float | None:
    """The earliest of the instants that are known, or None when none is."""
    return min((instant for instant in instants if instant is not None), default=None)
