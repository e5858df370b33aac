"""Public incidents: the scorers give what the operators published, and the place among quantiles is the right one."""

from __future__ import annotations

import pytest

from gameday.history import BETWEEN_POSTS_MIN, DETECTION_MIN, FIRST_POST_MIN, Incident, judge, percentile, public_incidents

INCIDENTS = public_incidents()


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda one: one.id)
def test_the_first_update_is_the_published_one(incident: Incident) -> None:
    judged = judge(incident)
    first = incident.minutes.get("first_public_update")
    assert judged.first_update_s == (None if first is None else pytest.approx(first * 60.0))
    assert incident.source
    assert incident.minutes.get("mitigated", 0.0) <= incident.minutes.get("resolved", float("inf"))


@pytest.mark.parametrize("incident", [one for one in INCIDENTS if one.updates], ids=lambda one: one.id)
def test_the_share_of_time_with_a_fresh_post_is_that_of_a_count_by_the_minute(incident: Incident) -> None:
    judged = judge(incident)
    begins, ends = incident.minutes.get("declared", 0.0), incident.minutes["mitigated"]
    steps = [begins + (ends - begins) * (step + 0.5) / 5000 for step in range(5000)]
    fresh = sum(any(0 <= minute - post < 30 for post in incident.updates) for minute in steps) / len(steps)
    assert judged.cadence == pytest.approx(fresh, abs=0.01)


def test_a_place_among_quantiles() -> None:
    assert percentile(FIRST_POST_MIN, 50) == "p50"
    assert percentile(FIRST_POST_MIN, 51) == "p50 to p75"
    assert percentile(FIRST_POST_MIN, 500) == "above p90"
    assert percentile(DETECTION_MIN, 0) == "below p10"
    assert percentile(DETECTION_MIN, None) == ""


@pytest.mark.parametrize("table", [FIRST_POST_MIN, BETWEEN_POSTS_MIN, DETECTION_MIN])
def test_quantiles_rise(table: tuple[tuple[float, float], ...]) -> None:
    assert list(table) == sorted(table)
    assert [value for _, value in table] == sorted({value for _, value in table})
