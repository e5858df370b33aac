"""The static blast radius: what a loss takes with it before anybody does anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.blast_radius import BlastRadius
from gameday.scenario.model import Scenario
from gameday.scenario.reading import parse_yaml
from gameday.scenario.validation import validate
from gameday.selectors import Selector
from gameday.topology import Topology

TEXT = (Path(__file__).parent.parent / "data" / "good.yaml").read_text(encoding="utf-8")


def radius(*selectors: str, replace: tuple[str, str] | None = None) -> BlastRadius:
    text = TEXT if replace is None else TEXT.replace(*replace)
    assert replace is None or text != TEXT
    scenario = validate(Scenario, parse_yaml(text, "day.yaml"))
    topology = Topology(scenario.system)
    refs = frozenset().union(*(topology.resolve(Selector.parse(each)) for each in selectors))
    return topology.blast_radius(refs, scenario.load)


def test_a_lost_zone_halves_a_region_and_takes_the_primary_in_it_along() -> None:
    found = radius("zone/eu-1a")
    assert found.in_words() == [
        "web@eu-1 loses 2 of 4 instances",
        "catalog@eu-1 loses 2 of 4 instances",
        "checkout@eu-1 loses 2 of 4 instances",
        "ads@eu-1 loses 1 of 1 instances",
        "mailer@eu-1 loses 1 of 2 instances",
        "database/orders@eu-1a is lost",
        "down: checkout@eu-1: checkout@eu-1 -> database/orders@eu-1a",
        "down: checkout@eu-2: checkout@eu-2 -> database/orders@eu-1a",
        "down: ads@eu-1: ads@eu-1 -> no instance left",
        (
            "degraded: web@eu-1: some requests fail: web@eu-1 -> checkout@eu-1 -> database/orders@eu-1a; 2 of 4 instances left; ads fails, "
            "optional"
        ),
        "degraded: web@eu-2: some requests fail: web@eu-2 -> checkout@eu-2 -> database/orders@eu-1a; ads fails, optional",
        "degraded: catalog@eu-1: 2 of 4 instances left",
        "degraded: mailer@eu-1: 1 of 2 instances left",
        "affected: class checkout from north: web@eu-1 -> checkout@eu-1 -> database/orders@eu-1a",
        "affected: class checkout from south: web@eu-2 -> checkout@eu-2 -> database/orders@eu-1a",
    ]


def test_a_lost_region_hurts_the_clients_sent_there_and_those_who_write_to_its_primary() -> None:
    found = radius("region/eu-1")
    affected = {(loss.request_class, loss.origin) for loss in found.classes}
    assert affected == {("browse", "north"), ("checkout", "north"), ("checkout", "south"), ("robots", "north")}


def test_losing_an_optional_callee_hurts_no_class() -> None:
    found = radius("service/ads")
    assert found.classes == ()
    assert [str(loss) for loss in found.degraded] == ["web@eu-1: ads fails, optional", "web@eu-2: ads fails, optional"]


def test_a_fallback_keeps_a_service_up() -> None:
    found = radius("database/products")
    assert found.classes == ()
    assert "database/products fails, answered by its fallback database/orders" in found.degraded[0].why


def test_without_the_fallback_too_the_service_is_down() -> None:
    found = radius("database/products", "database/orders")
    assert {(loss.service, loss.region) for loss in found.down} >= {("catalog", "eu-1"), ("catalog", "eu-2")}


def test_what_is_not_waited_for_fails_nobody() -> None:
    assert radius("queue/mail").classes == ()


def test_a_dead_consumer_leaves_its_queue_accepting() -> None:
    found = radius("service/mailer", replace=("mode: async, calls: 0.2", "calls: 0.2"))
    assert found.classes == ()


def test_a_call_made_by_some_requests_fails_that_share() -> None:
    found = radius("queue/mail", replace=("mode: async, calls: 0.2", "calls: 0.2"))
    assert {(loss.request_class, loss.share) for loss in found.classes} == {("checkout", 0.2)}
    assert not found.down


def test_a_cut_between_all_zones_of_caller_and_callee_is_a_loss_of_the_callee() -> None:
    found = radius("link/eu-2->eu-1")
    assert [str(loss) for loss in found.classes] == [
        "class checkout from south: web@eu-2 -> checkout@eu-2 -> link to database/orders@eu-1a cut"
    ]


def test_a_cut_one_way_is_as_bad_as_both_ways() -> None:
    assert radius("link/eu-1->eu-2").classes == radius("link/eu-2->eu-1").classes == radius("link/eu-2<->eu-1").classes


def test_a_cut_of_some_zones_only_degrades() -> None:
    found = radius("link/eu-1a->eu-1b")
    assert found.classes == ()
    assert any("some links to" in loss.why for loss in found.degraded)


def test_clients_cut_off_from_a_region_are_affected() -> None:
    found = radius("link/internet<->eu-2")
    assert {loss.origin for loss in found.classes} == {"south"}


def test_a_name_that_does_not_resolve_hurts_everybody() -> None:
    assert len(radius("dns").classes) == 6


def test_a_cut_dependency_hurts_only_its_caller() -> None:
    found = radius("dependency/web->checkout")
    assert {loss.request_class for loss in found.classes} == {"checkout"}
    assert {loss.service for loss in found.degraded} == {"web"}


def test_a_lost_provider_hurts_who_requires_it() -> None:
    found = radius("provider/cards")
    assert str(found.classes[0]) == ("class checkout from north: web@eu-1 -> checkout@eu-1 -> provider/cards")


def test_many_cut_links_are_counted_not_listed() -> None:
    assert "16 links are lost" in radius("link/eu-1<->elsewhere").in_words()


SELECTORS = [
    "zone/eu-1a",
    "zone/eu-2b",
    "region/eu-2",
    "service/catalog@eu-1",
    "database/orders",
    "provider/cards",
    "queue/mail@eu-1",
    "link/eu-1->eu-2",
    "dependency/web->catalog",
]


@given(st.sets(st.sampled_from(SELECTORS)), st.sampled_from(SELECTORS))
def test_losing_more_never_helps_anybody(lost: set[str], more: str) -> None:
    before, after = radius(*sorted(lost)) if lost else None, radius(*sorted(lost | {more}))
    if before is not None:
        assert {(loss.request_class, loss.origin) for loss in before.classes} <= {
            (loss.request_class, loss.origin) for loss in after.classes
        }
        assert {(loss.service, loss.region) for loss in before.down} <= {(loss.service, loss.region) for loss in after.down}


@pytest.mark.parametrize("selector", SELECTORS)
def test_the_same_loss_is_told_in_the_same_words(selector: str) -> None:
    assert radius(selector).in_words() == radius(selector).in_words()


def test_losing_nothing_takes_nothing() -> None:
    scenario = validate(Scenario, parse_yaml(TEXT, "day.yaml"))
    assert Topology(scenario.system).blast_radius([], scenario.load).in_words() == ["nothing that the system description shows"]
