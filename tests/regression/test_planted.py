"""Regressions planted in policies of shipped game days, and of the small one for a storm: each fails `check`, and the event that changed first is named."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from gameday.regression.baseline import Baseline
from gameday.regression.checking import Day, check, new_baseline, play_days
from gameday.regression.output import check_text
from gameday.replication import Workers
from gameday.scenario import read_scenario
from tests.cli.conftest import QUICK, ROOT

PRIMARY = [
    "duration=45m",
    'schedule.faults=["kill database/orders/primary at 2m for 42m"]',
    "policies.databases.orders.mode=manual",
    "response.roles.legal=[mo]",
    "response.roles.executive=[lee]",
    (
        "objectives=[{kpi: response.time_to_acknowledge, statistic: p50, target: <= 15m}, "
        "{kpi: communication.time_to_first_update, statistic: p50, target: <= 30m}]"
    ),
]
AUTOMATIC = ["duration=8m", 'schedule.faults=["kill database/orders/primary at 3m for 4m"]']
STORM = [
    "system.services.web.slots=1",
    "system.services.web.queue=1000",
    "load.classes.visits.rate=120/s",
    "load.classes.visits.retries={attempts: 3, backoff: 50ms, budget: 10%}",
    'schedule.faults=["slow service/web factor=4 at 1m for 20s"]',
    "objectives=[{kpi: shedding.recovery_s, statistic: p50, target: <= 60s, gate: true}]",
]
"""Two instances that serve 200/s, and 120/s that ask: with three retries each the storm ends below 200 / (1 + 3) = 50/s only, with a budget
of a tenth below 200 / 1.1 = 182/s (tests/traffic/test_storms.py). There is no breaker and no shedder."""

PLANTED = {
    "health check of the database": (
        "primary-loss", AUTOMATIC, ["policies.databases.orders.lease=32s", "policies.databases.orders.heartbeat=8s"],
        "failover.rto", "failover.triggered database/orders",
    ),
    "retry budget": (
        "quick", STORM, ["load.classes.visits.retries.budget=null"], "shedding.recovery_s", "shedding.started service/web",
    ),
    "approval chain": (
        "primary-loss", PRIMARY, ["communication.audiences.customers.approvals=[incident_commander, legal, executive]"],
        "communication.time_to_first_update", "message.",
    ),
    "rota": (
        "primary-loss", PRIMARY,
        ["response.people.kim.timezone=America/Los_Angeles", "response.people.lee.timezone=America/Los_Angeles"],
        "response.time_to_acknowledge", "page.",
    ),
    "time to live of DNS": (
        "region-loss", ["duration=22m", 'schedule.faults=["kill region/eu-1 at 4m for 16m"]'], ["policies.failover.dns_ttl=5m"], "failover.rto", "alert.",
    ),
}  # fmt: skip
"""Game day, what is changed on both sides to keep it short, what is planted, the KPI that fails, the event that is named."""


def days(name: str, overrides: list[str], replications: int) -> Day:
    path: Path = QUICK if name == "quick" else ROOT / "scenarios" / f"{name}.yaml"
    day = Day(str(path), read_scenario(path, overrides), None, 1, replications)
    play_days([day], Workers(1), lambda: None)
    return day


@cache
def baseline(name: str, overrides: tuple[str, ...]) -> Baseline:
    return new_baseline(days(name, list(overrides), 8))


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_regression_fails_and_the_event_that_changed_first_is_named(what: str) -> None:
    name, shortened, planted, kpi, event = PLANTED[what]
    day = days(name, [*shortened, *planted], 8)
    day.baseline = baseline(name, tuple(shortened))
    checked = check([day])
    found = [one for one in checked.held[0].findings if one.kpi == kpi]
    assert found, check_text(checked)
    assert found[0].partings[0].label.startswith(event), check_text(checked)


def test_the_budget_is_what_ends_the_storm() -> None:
    """Without one a gate is lost; half of it ends the storm as well."""
    day = days("quick", [*STORM, "load.classes.visits.retries.budget=null"], 8)
    day.baseline = baseline("quick", tuple(STORM))
    assert {one.reason for one in check([day]).held[0].findings} >= {"objective lost"}
    tighter = days("quick", [*STORM, "load.classes.visits.retries.budget=5%"], 8)
    tighter.baseline = baseline("quick", tuple(STORM))
    assert not check([tighter]).held[0].findings
