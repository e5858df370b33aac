"""Failure domains: what a selector means in a system, always in the same order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.scenario.model import Scenario
from gameday.scenario.reading import read_yaml
from gameday.scenario.system import System
from gameday.scenario.validation import validate
from gameday.selectors import Selector, SelectorError
from gameday.topology import InstanceRef, LinkRef, NodeRef, Topology, in_order

GOOD = validate(Scenario, read_yaml(Path(__file__).parent.parent / "data" / "good.yaml"))
SHOP = Topology(GOOD.system)


def meaning(text: str, primaries: dict[str, str] | None = None) -> list[str]:
    return [str(ref) for ref in in_order(SHOP.resolve(Selector.parse(text), primaries))]


def system(**parts: object) -> System:
    services = {"web": {"instances": 1, "slots": 1, "service_time": {"family": "constant", "mean": 0.01}}}
    return System.model_validate({"regions": {"r": {"zones": ["r1", "r2"]}}, "services": services} | parts)


@pytest.mark.parametrize(
    ("text", "refs"),
    [
        ("service/ads", ["instance/ads@eu-1a/0"]),
        ("service/web@eu-1a", ["instance/web@eu-1a/0", "instance/web@eu-1a/1"]),
        ("service/catalog@eu-2", ["instance/catalog@eu-2a/0", "instance/catalog@eu-2a/1", "instance/catalog@eu-2b/0"]),
        ("instance/web@eu-2a/1", ["instance/web@eu-2a/1"]),
        ("database/products", ["database/products@eu-1b", "database/products@eu-2b"]),
        ("database/products/primary", ["database/products@eu-1b"]),
        ("database/orders/replica", ["database/orders@eu-1b", "database/orders@eu-2a"]),
        ("database/orders@eu-1", ["database/orders@eu-1a", "database/orders@eu-1b"]),
        ("provider/cards", ["provider/cards"]),
        ("queue/mail", ["queue/mail@eu-1", "queue/mail@eu-2"]),
        ("queue/mail@eu-2", ["queue/mail@eu-2"]),
        ("dns", ["dns"]),
        ("dependency/web->catalog", ["dependency/web->catalog"]),
        ("dependency/catalog->database/orders", ["dependency/catalog->database/orders"]),
        ("group/rack-1", ["instance/checkout@eu-1a/0", "instance/web@eu-1a/0", "database/orders@eu-1a"]),
        ("link/eu-1a->eu-2b", ["link/eu-1a->eu-2b"]),
        ("link/eu-1a<->internet", ["link/eu-1a->internet", "link/internet->eu-1a"]),
        ("link/eu-1->eu-2", ["link/eu-1a->eu-2a", "link/eu-1a->eu-2b", "link/eu-1b->eu-2a", "link/eu-1b->eu-2b"]),
        ("link/eu-1->eu-1", ["link/eu-1a->eu-1b", "link/eu-1b->eu-1a"]),
        (
            "link/eu-2a->elsewhere",
            [
                "link/eu-2a->eu-1a",
                "link/eu-2a->eu-1b",
                "link/eu-2a->eu-2b",
                "link/eu-2a->internet",
                "link/eu-2a->provider/cards",
            ],
        ),
    ],
)
def test_a_selector_means_these_resources(text: str, refs: list[str]) -> None:
    assert meaning(text) == refs


def test_a_zone_contains_what_is_hosted_there() -> None:
    assert meaning("zone/eu-1a") == [
        "zone/eu-1a",
        "instance/ads@eu-1a/0",
        "instance/catalog@eu-1a/0",
        "instance/catalog@eu-1a/1",
        "instance/checkout@eu-1a/0",
        "instance/checkout@eu-1a/1",
        "instance/mailer@eu-1a/0",
        "instance/web@eu-1a/0",
        "instance/web@eu-1a/1",
        "database/orders@eu-1a",
    ]


def test_a_region_is_its_zones_and_its_managed_queues() -> None:
    zones = set(meaning("zone/eu-1a")) | set(meaning("zone/eu-1b"))
    assert set(meaning("region/eu-1")) == zones | {"queue/mail@eu-1"}


def test_a_group_in_a_group_is_opened() -> None:
    assert set(meaning("group/everything-old")) == set(meaning("group/rack-1")) | set(meaning("zone/eu-1b"))


def test_the_primary_is_the_one_of_the_moment() -> None:
    assert meaning("database/orders/primary", {"orders": "eu-2a"}) == ["database/orders@eu-2a"]
    assert meaning("database/orders/replica", {"orders": "eu-2a"}) == ["database/orders@eu-1a", "database/orders@eu-1b"]


def test_every_reference_selects_exactly_itself() -> None:
    refs = SHOP.resolve(Selector.parse("region/eu-1")) | SHOP.resolve(Selector.parse("link/eu-1<->elsewhere"))
    refs |= SHOP.resolve(Selector.parse("dependency/web->ads"))
    for ref in refs:
        only = SHOP.resolve(Selector.parse(str(ref)))
        assert ref in only
        assert str(ref).startswith("zone/") or only == {ref}


@given(st.permutations(sorted(SHOP.resolve(Selector.parse("region/eu-1")), key=str)))
def test_references_have_one_order_whatever_order_they_come_in(refs: list[InstanceRef]) -> None:
    assert in_order(refs) == in_order(reversed(refs))


@given(
    st.one_of(
        st.integers(1, 9),
        st.dictionaries(st.sampled_from(["r", "r1", "r2"]), st.integers(0, 9), min_size=1),
    )
)
def test_instances_are_those_of_the_zone_else_those_of_its_region(instances: int | dict[str, int]) -> None:
    web = {"instances": instances, "slots": 1, "service_time": {"family": "constant", "mean": 0.01}}
    topology = Topology(system(services={"web": web}))
    for zone in ("r1", "r2"):
        wanted = instances if isinstance(instances, int) else instances.get(zone, instances.get("r", 0))
        assert topology.instances_in("web", zone) == wanted
        assert topology.instances_of("web", zone) == tuple(InstanceRef("web", zone, n) for n in range(wanted))


def test_instances_of_a_service_fail_on_their_own_and_places_fail_as_a_whole() -> None:
    assert list(map(str, SHOP.members(Selector.parse("service/web@eu-1a")))) == ["instance/web@eu-1a/0", "instance/web@eu-1a/1"]
    assert list(map(str, SHOP.members(Selector.parse("database/products")))) == [
        "database/products@eu-1b",
        "database/products@eu-2b",
    ]
    assert SHOP.members(Selector.parse("region/eu-1")) == (Selector.parse("region/eu-1"),)
    assert SHOP.members(Selector.parse("database/orders/primary")) == (Selector.parse("database/orders/primary"),)
    assert list(map(str, SHOP.members(Selector.parse("group/everything-old"))))[-1] == "zone/eu-1b"


def test_calls_of_a_class_leave_out_those_of_other_classes() -> None:
    assert [call.to for call in SHOP.calls_of("web", "browse")] == ["catalog", "ads"]
    assert [call.to for call in SHOP.calls_of("web")] == ["catalog", "checkout", "ads", "queue/mail"]
    assert SHOP.callers_of("database/orders") == ("catalog", "checkout")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("service/wbe", "there is no service 'wbe'; did you mean 'web'?"),
        ("service/ads@eu-2", "service/ads@eu-2 names nothing: ads has no instance in eu-2"),
        ("instance/ads@eu-1a/1", "instance/ads@eu-1a/1 names nothing: ads has 1 instance in eu-1a, numbered from 0"),
        ("instance/ads@eu-2a/0", "instance/ads@eu-2a/0 names nothing: ads has no instance in eu-2a"),
        ("link/eu-1a->eu-1a", "link/eu-1a->eu-1a names nothing: its ends are the same place"),
        ("link/eu-1->eu-3", "there is no zone, region or other end of a link 'eu-3'; did you mean 'eu-2'?"),
        ("link/elsewhere->elsewhere", "only one end of a link can be elsewhere"),
        (
            "dependency/web->catalogue",
            "dependency/web->catalogue names nothing: web does not call service/catalogue; did you mean 'dependency/web->catalog'?",
        ),
        ("group/rack-2", "there is no group 'rack-2'; did you mean 'rack-1'?"),
    ],
)
def test_a_selector_that_names_nothing_says_what_is_missing(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as refusal:
        SHOP.resolve(Selector.parse(text))
    assert str(refusal.value) == message


def test_a_group_that_contains_itself_is_refused() -> None:
    topology = Topology(system(groups={"a": ["group/b"], "b": ["group/a"]}))
    with pytest.raises(SelectorError, match="group a contains itself: a > b > a"):
        topology.resolve(Selector.parse("group/a"))


def test_what_is_cut_from_elsewhere_is_cut_from_every_other_place_and_nothing_inside() -> None:
    refs = SHOP.resolve(Selector.parse("link/eu-1<->elsewhere"))
    inside = {LinkRef("eu-1a", "eu-1b"), LinkRef("eu-1b", "eu-1a")}
    assert not refs & inside
    assert len(refs) == 2 * 2 * (2 + 1 + 1)


def test_a_database_has_one_node_per_zone_and_the_primary_first() -> None:
    assert SHOP.nodes_of("orders") == (NodeRef("orders", "eu-1a"), NodeRef("orders", "eu-1b"), NodeRef("orders", "eu-2a"))
