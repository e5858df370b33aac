"""Machines that react to stress and to bad versions: an optional call is switched off and on, a release is rolled back."""

import pytest

from tests.simulator.small import BUY, SHOP, small

SIDE = {"side": {**SHOP, "service_time": "constant 1ms"}}
RULE = {
    "disable": "shop -> side",
    "when": "shop",
    "above": "80%",
    "lasting": "20s",
    "restore_below": "50%",
    "restore_after": "30s",
}


def stressed(rule=None, rate=None, **more):
    spike = {"shape": "spike", "base": "10/s", "peak": "60/s", "at": "60s", "for": "90s"}
    return small(
        shop={"instances": {"a1": 1}, "slots": 1, "calls": [{"to": "side", "required": False}], **more.pop("shop", {})},
        services=SIDE,
        classes={"buy": {**BUY, "rate": rate or spike}},
        policies={"degradation": [{**RULE, **(rule or {})}]},
        **more,
    )


def side_calls(day, start, end):
    """Calls of `side` in (start, end], which plays the day up to `end`."""
    day.until(start)
    before = day.seen().arrived[day.station("side", "a")]
    day.until(end)
    return day.seen().arrived[day.station("side", "a")] - before


def test_an_optional_call_is_switched_off_under_lasting_stress_and_on_after_lasting_calm():
    day = stressed()
    assert side_calls(day, 10.0, 59.0) > 300
    assert side_calls(day, 95.0, 145.0) == 0
    assert side_calls(day, 215.0, 255.0) > 250
    [off], [on] = day.times("degradation.started"), day.times("degradation.ended")
    assert 60.0 + 20.0 <= off <= 60.0 + 20.0 + 2 * 5.0
    assert 150.0 + 30.0 <= on <= 150.0 + 30.0 + 3 * 5.0, "the queue empties, a bin passes, a check comes"
    assert day.events("degradation.started")[0].data == {"feature": "shop -> side", "by": "controller"}


def test_stress_that_does_not_last_switches_nothing():
    day = stressed(rate={"shape": "spike", "base": "10/s", "peak": "60/s", "at": "60s", "for": "14s"})
    day.until(200.0)
    assert day.events("degradation.started") == []


def test_a_dead_service_is_no_sign_of_calm():
    day = stressed(rate="60/s")
    day.until(100.0)
    assert len(day.events("degradation.started")) == 1
    day.do("kill", "service/shop")
    day.until(250.0)
    assert day.events("degradation.ended") == []


# -- releases -----------------------------------------------------------------------------------------------------------

RELEASE = {"automatic_rollback": True, "error_ratio": "10%", "window": "30s", "rollback": "constant 20s"}


def released(fault, release=None, **more):
    return small(faults=[fault], policies={"release": {**RELEASE, **(release or {})}}, **more)


@pytest.mark.parametrize("target", ["service/shop", "service/shop@a", "service/shop@a1", "group/cohort"])
def test_a_bad_release_is_rolled_back_by_the_deployer_wherever_it_runs(target):
    groups = {"groups": {"cohort": ["service/shop@a1", "service/shop@b1"]}}
    day = released(f"bad_release {target} error_ratio=0.4 at 60s", system=groups)
    day.until(200.0)
    [decided], [healed] = day.events("decision.made"), day.events("fault.healed")
    assert decided.data["by"] == "deployer"
    assert 60.0 < decided.t <= 60.0 + 35.0
    assert healed.t == pytest.approx(decided.t + 20.0)
    assert healed.data["by"] == "deployer"
    assert day.good_between(60.0, decided.t) < 0.9
    assert day.good_between(healed.t + 2.0, 199.0) == 1.0
    assert [event.data["action"] for event in day.events("action.succeeded")] == ["rollback"]


def test_a_release_within_the_threshold_stays():
    day = released("bad_release service/shop error_ratio=0.05 at 60s")
    day.until(300.0)
    assert day.events("fault.healed", "decision.made") == []


def test_without_the_policy_nobody_rolls_back():
    day = released("bad_release service/shop error_ratio=0.5 at 60s", {"automatic_rollback": False})
    day.until(300.0)
    assert day.events("fault.healed") == []


def test_two_people_roll_one_release_back_once():
    day = released("bad_release service/shop error_ratio=0.5 at 60s", {"automatic_rollback": False})
    day.until(70.0)
    [active] = day.day.faults.mended_by("rollback")
    assert day.day.deployer.roll_back(active, "ana") is not None
    assert day.day.deployer.roll_back(active, "ben") is None
    day.until(100.0)
    assert [event.data["by"] for event in day.events("fault.healed")] == ["ana"]
