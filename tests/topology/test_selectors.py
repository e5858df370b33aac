"""Selectors: what is written is what is read back, and what cannot be read says why."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.selectors import KINDS, Selector, SelectorError, target_of

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,12}", fullmatch=True)
ENDS = st.one_of(NAMES, st.just("internet"), st.just("elsewhere"), NAMES.map(lambda name: f"provider/{name}"))
SELECTORS = st.one_of(
    NAMES.map(partial(Selector, "service")),
    st.builds(lambda name, at: Selector("service", name, at=at), NAMES, NAMES),
    st.builds(lambda name, at, index: Selector("instance", name, at=at, index=index), NAMES, NAMES, st.integers(0, 999_999)),
    st.builds(Selector, st.sampled_from(["zone", "region", "provider", "queue", "group"]), NAMES),
    st.builds(lambda name, at: Selector("queue", name, at=at), NAMES, NAMES),
    st.builds(lambda name, role: Selector("database", name, role=role), NAMES, st.sampled_from([None, "primary", "replica"])),
    st.builds(lambda name, at: Selector("database", name, at=at), NAMES, NAMES),
    st.builds(lambda name, to, both: Selector("link", name, to=to, both_ways=both), ENDS, ENDS, st.booleans()),
    st.builds(
        lambda name, kind, to: Selector("dependency", name, to=f"{kind}/{to}"),
        NAMES,
        st.sampled_from(["service", "database", "provider", "queue"]),
        NAMES,
    ),
    st.just(Selector("dns")),
)


@given(SELECTORS)
def test_what_a_selector_prints_reads_back_as_the_same_selector(selector: Selector) -> None:
    assert Selector.parse(str(selector)) == selector


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with suppress(SelectorError):
        selector = Selector.parse(text)
        assert Selector.parse(str(selector)) == selector


@given(st.sampled_from(KINDS), st.text(alphabet="abc-<>@/. 01", max_size=20))
def test_any_text_behind_a_kind_is_read_or_refused_and_nothing_else(kind: str, rest: str) -> None:
    with suppress(SelectorError):
        selector = Selector.parse(f"{kind}/{rest}")
        assert Selector.parse(str(selector)) == selector


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("service/checkout", Selector("service", "checkout")),
        ("service/checkout@eu-1", Selector("service", "checkout", at="eu-1")),
        ("instance/checkout@eu-1a/2", Selector("instance", "checkout", at="eu-1a", index=2)),
        ("database/orders/primary", Selector("database", "orders", role="primary")),
        ("database/orders@eu-1a", Selector("database", "orders", at="eu-1a")),
        ("link/eu-1->eu-2", Selector("link", "eu-1", to="eu-2")),
        ("link/eu-1<->internet", Selector("link", "eu-1", to="internet", both_ways=True)),
        ("link/eu-1<->provider/cards", Selector("link", "eu-1", to="provider/cards", both_ways=True)),
        ("dependency/web->catalog", Selector("dependency", "web", to="service/catalog")),
        ("dependency/web->database/orders", Selector("dependency", "web", to="database/orders")),
        ("dns", Selector("dns")),
        (" zone/eu-1a ", Selector("zone", "eu-1a")),
    ],
)
def test_every_form_is_read(text: str, selector: Selector) -> None:
    assert Selector.parse(text) == selector


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "checkout",
            "is not a selector: it must say what kind of thing it names, e.g. service/checkout",
        ),
        (
            "servce/checkout",
            (
                "has an unknown kind 'servce'; kinds are service, instance, zone, region, database, link, provider, queue, group, dns, "
                "dependency; did you mean 'service/checkout'?"
            ),
        ),
        ("dsn", "is not a selector; did you mean 'dns'?"),
        ("dns/x", "is not a selector of kind dns: write dns; did you mean 'dns'?"),
        ("zone/", "is not a selector of kind zone: write zone/<name>"),
        ("zone/EU-1A", "is not a selector of kind zone: write zone/<name>; did you mean 'zone/eu-1a'?"),
        (
            "database/orders/primry",
            (
                "is not a selector of kind database: write database/<name>, database/<name>/primary, database/<name>/replica, "
                "database/<name>@<zone> or database/<name>@<region>; did you mean 'database/orders/primary'?"
            ),
        ),
        ("instance/web@eu-1a", "is not a selector of kind instance: write instance/<service>@<zone>/<number>"),
        ("instance/web@eu-1a/01", "is not a selector of kind instance: write instance/<service>@<zone>/<number>"),
        (
            "link/eu-1",
            (
                "is not a selector of kind link: write link/<from>-><to> (one way) or link/<one><-><other> (both ways); ends are regions, "
                "zones, provider/<name>, internet or elsewhere"
            ),
        ),
        (
            "",
            (
                "is not a selector; selectors begin with service, instance, zone, region, database, link, provider, queue, group, dns, "
                "dependency"
            ),
        ),
    ],
)
def test_what_cannot_be_read_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as refusal:
        Selector.parse(text)
    assert str(refusal.value) == message


def test_a_call_by_a_plain_name_is_a_call_of_a_service() -> None:
    assert target_of("catalog") == "service/catalog"
    assert target_of("database/orders") == "database/orders"
