"""What would notice the loss of a place: found from the rules, without a run."""

from __future__ import annotations

from typing import Any

from gameday.alerting.coverage import coverage, gaps, gaps_in_words
from tests.people.small import scenario

ABSENT = {"kind": "absence", "on": "zone/a1", "window": "1m"}
PLACES = {"system": {"regions": {"a": {"zones": ["a1", "a2"]}, "b": {"zones": ["b1"]}}}}


def level(subject: str, *patches: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    found = {each.subject: each for each in coverage(scenario(PLACES, *patches))}
    return found[subject].level, found[subject].rules


def rules(**more: Any) -> dict[str, Any]:
    return {"monitoring": {"rules": more}}


def test_a_zone_is_watched_by_its_own_rule_and_else_felt_by_rules_about_users() -> None:
    assert level("zone/a1", rules(gone=ABSENT)) == ("watched", ("gone",))
    assert level("zone/a2", rules(gone=ABSENT)) == ("felt", ("errors",))


def test_a_rule_about_a_region_watches_a_zone_only_where_the_zone_is_the_region() -> None:
    both = rules(a={**ABSENT, "on": "region/a"}, b={**ABSENT, "on": "region/b"})
    assert level("zone/a1", both) == ("felt", ("errors",))
    assert level("zone/b1", both) == ("watched", ("b",))
    assert level("region/a", both) == ("watched", ("a",))


def test_a_region_whose_zones_are_all_watched_is_watched() -> None:
    assert level("region/a", rules(one=ABSENT, two={**ABSENT, "on": "zone/a2"}))[0] == "watched"
    assert level("region/a", rules(one=ABSENT))[0] == "felt"


def test_monitoring_inside_the_place_sees_nothing_of_its_loss_but_a_heartbeat_outside_does() -> None:
    inside = {"monitoring": {"location": "region/a"}}
    assert level("region/a", inside, rules(gone={**ABSENT, "on": "region/a"})) == ("blind", ())
    assert level("region/a", inside, rules(beat={"kind": "heartbeat", "interval": "1m"})) == ("watched", ("beat",))


def test_without_rules_about_users_an_unwatched_place_is_blind() -> None:
    only = rules(errors=None, gone=ABSENT)
    assert level("zone/a2", only) == ("blind", ())
    assert any("nothing would notice but the customers" in words for words in gaps_in_words(scenario(PLACES, only)))


def test_origins_are_watched_by_probes_from_there() -> None:
    probed = {
        "monitoring": {"probes": {"p": {"class": "buy", "origin": "west"}}, "rules": {"p": {"kind": "probe", "probe": "p"}}}
    }
    assert level("origin/west", probed) == ("watched", ("p",))
    assert level("origin/east", probed)[0] == "felt"
    everywhere = {"monitoring": {"probes": {"p": {"class": "buy"}}, "rules": {"p": {"kind": "probe", "probe": "p"}}}}
    assert level("origin/east", everywhere)[0] == "watched"


def test_gaps_are_told_together_and_not_at_all_without_any_rule() -> None:
    words = gaps_in_words(scenario(PLACES, rules(gone=ABSENT)))
    assert len(words) == 1
    assert words[0].startswith("zone/a2, zone/b1, region/a, region/b, origin/west, origin/east:")
    assert gaps(scenario(rules(errors=None))) == ()
