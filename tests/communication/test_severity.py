"""Severity from lost requests and duration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.communication.severity import SeverityPolicy, at_least, severity_of

ORDER = [None, "sev3", "sev2", "sev1"]


@pytest.mark.parametrize(
    ("lost_ratio", "duration_s", "severity"),
    [
        (0.0, 0, None),
        (0.0, 1e6, None),
        (0.009, 0, None),
        (0.01, 0, "sev3"),
        (0.01, 1800, "sev2"),
        (0.05, 0, "sev2"),
        (0.1, 1799, "sev2"),
        (0.1, 1800, "sev1"),
        (0.5, 0, "sev1"),
        (1.0, 0, "sev1"),
    ],
)
def test_the_default_policy(lost_ratio: float, duration_s: float, severity: str | None) -> None:
    assert severity_of(lost_ratio, duration_s) == severity


def test_a_policy_of_its_own_moves_the_limits() -> None:
    assert severity_of(0.02, 0, SeverityPolicy(sev1_lost_ratio=0.02)) == "sev1"


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e5), st.floats(0, 1e5))
def test_more_loss_or_more_time_is_never_less_severe(loss: float, more_loss: float, time: float, more_time: float) -> None:
    less = severity_of(min(loss, more_loss), min(time, more_time))
    more = severity_of(max(loss, more_loss), max(time, more_time))
    assert ORDER.index(more) >= ORDER.index(less)
    assert at_least(less, more) == more
