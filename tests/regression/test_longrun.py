"""`gameday availability`: simulated long runs against closed forms, with common causes from placement; rare losses; mistakes told."""

from __future__ import annotations

import json
import re
from math import comb

import pytest

from gameday.errors import BadInput
from gameday.scenario import read_scenario
from gameday.scenario.model import Scenario
from sim.components import Component, Thing, components_of, things_of
from sim.longrun import Unavailability, exactly, unavailabilities
from tests.cli.conftest import QUICK, Run

DAY = 86400.0


def day(background: str, instances: int = 3) -> Scenario:
    where = f"system.services.web.instances={{eu-1a: {instances}, eu-1b: {instances}}}"
    return read_scenario(QUICK, [where, f"schedule.background={background}"])


def web(scenario: Scenario, needs: int, cycles: int = 4000) -> Unavailability:
    components = components_of(scenario, "x")
    (found,) = unavailabilities(components, things_of(scenario, components, {"service/web": needs}, "x"), 1, cycles)
    return found


def k_of_n_down(n: int, k: int, up: float) -> float:
    return sum(comb(n, i) * up**i * (1 - up) ** (n - i) for i in range(k))


def holds(found: Unavailability, truth: float) -> bool:
    """Whether the truth lies in an interval of one and a half its width: once in some 300 it would not; and the interval is of use."""
    half = (found.high - found.low) / 2
    return abs(found.value - truth) <= 1.5 * half < 0.5 * truth


@pytest.mark.parametrize(("needs", "how"), [(6, "cycles"), (5, "cycles"), (3, "biased"), (1, "biased")])
def test_k_of_n_is_the_binomial_closed_form_from_common_to_one_in_ten_to_the_twelve(needs: int, how: str) -> None:
    found = web(day("[{target: service/web, mtbf: 4d, mttr: 1h}]"), needs)
    truth = k_of_n_down(6, needs, 96 / 97)
    assert found.how == how
    assert found.exact == pytest.approx(truth, rel=1e-9)
    assert holds(found, truth)


def test_a_zone_takes_everything_in_it_at_once() -> None:
    """Six instances of which four are needed: either zone is enough to lose it, however well the instances hold."""
    found = web(day("[{target: zone/eu-1a, mtbf: 40d, mttr: 4h}, {target: zone/eu-1b, mtbf: 40d, mttr: 4h}]"), 4)
    up = 960 / 964
    assert holds(found, 1 - up**2)
    rare = web(day("[{target: zone/eu-1a, mtbf: 400d, mttr: 1h}, {target: zone/eu-1b, mtbf: 400d, mttr: 1h}]"), 1)
    assert rare.how == "biased"
    assert holds(rare, (1 / 9601) ** 2)


def test_units_that_a_zone_and_their_own_failure_take_come_back_when_both_are_mended() -> None:
    scenario = day("[{target: zone/eu-1a, mtbf: 10d, mttr: 1d}, {target: service/web, mtbf: 10d, mttr: 1d}]", instances=1)
    found = web(scenario, 2)
    up = 10 / 11
    assert holds(found, 1 - up * up * up)


def test_what_no_failure_can_take_down_is_said_to_be_so() -> None:
    found = web(day("[{target: zone/eu-1a, mtbf: 1d, mttr: 1d}]"), 3)
    assert (found.how, found.value, found.exact) == ("never", 0.0, 0.0)


def test_repair_ten_times_slower_is_seen() -> None:
    slow = web(day("[{target: service/web, mtbf: 4d, mttr: 10h}]"), 5)
    assert not holds(slow, k_of_n_down(6, 5, 96 / 97))


def test_more_components_than_can_be_added_up_have_no_exact_value() -> None:
    many = [Component(str(n), DAY, 60.0, frozenset({str(n)})) for n in range(15)]
    assert exactly(many, Thing("x", tuple(map(str, range(15))), 15)) is None


def test_mistakes_are_told_with_the_nearest_word() -> None:
    with pytest.raises(BadInput, match="names nothing that fails by itself"):
        components_of(read_scenario(QUICK), "x")
    with pytest.raises(BadInput, match="does not take its target away"):
        components_of(day("[{target: service/web, fault: slow, with: {factor: 2}, mtbf: 1d, mttr: 1h}]"), "x")
    scenario = day("[{target: service/web, mtbf: 4d, mttr: 1h}]")
    with pytest.raises(BadInput) as bad:
        things_of(scenario, components_of(scenario, "x"), {"service/wep": 1, "service/web": 9}, "x")
    assert "did you mean 'service/web'?" in str(bad.value)
    assert "1 to 6 of them" in str(bad.value)


def test_the_command_prints_what_is_down_and_for_how_long(gameday: Run) -> None:
    settings = [
        "--set",
        "schedule.background=[{target: service/web, mtbf: 4d, mttr: 1h}]",
        "--cycles",
        500,
        "--need",
        "service/web=2",
    ]
    text = gameday("availability", QUICK, *settings)
    assert text.returncode == 0, text.stderr
    assert re.search(r"service/web +2 of 2 +0\.0[12].* 0\.0205", text.stdout)
    found = json.loads(gameday("availability", QUICK, *settings, "--json").stdout)
    assert found["things"][0]["exact"] == pytest.approx(1 - (96 / 97) ** 2)
    none = gameday("availability", QUICK)
    assert (none.returncode, "schedule.background" in none.stderr) == (2, True)
