"""Clusters and root-cause candidates: small systems whose answer is known, and PageRank against its definition."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.alerting.alert import labels_of
from gameday.alerting.candidates import DAMPING, LEAST_WEIGHT, RESTART, dependency_graph, link_meant, links_of, ranked
from gameday.alerting.clusters import Fired, clustered
from gameday.scenario import read_scenario
from gameday.shipped import shipped_scenarios
from tests.people.small import Played, play

MARKET = read_scenario(shipped_scenarios() / "region-loss.yaml")
GRAPH = dependency_graph(MARKET.system, MARKET.load)


def chain(*names: str) -> nx.DiGraph:
    graph = nx.DiGraph()
    nx.add_path(graph, names)
    return graph


CHAIN = chain("class/buy", "service/web@a", "service/shop@a", "database/orders@a1", "zone/a1", "region/a")


def test_the_deepest_anomaly_that_nothing_below_explains_stands_first() -> None:
    anomalies = {"service/web@a": 0.9, "service/shop@a": 0.9}
    assert ranked(CHAIN, anomalies, {"class/buy"})[0] == "service/shop"
    assert ranked(CHAIN, {**anomalies, "database/orders@a1": 0.9}, {"class/buy"})[0] == "database/orders"


def test_what_a_place_explains_is_the_place() -> None:
    everything = {"service/web@a": 0.9, "service/shop@a": 0.9, "database/orders@a1": 1.0, "zone/a1": 1.0}
    assert ranked(CHAIN, everything)[0] == "zone/a1"
    assert ranked(CHAIN, {**everything, "region/a": 1.0})[0] == "region/a"


def test_a_side_that_is_well_is_behind_the_side_that_is_not() -> None:
    graph = chain("class/buy", "service/web@a", "service/good@a")
    graph.add_edge("service/web@a", "service/bad@a")
    found = ranked(graph, {"service/web@a": 0.6, "service/bad@a": 0.6}, {"class/buy"})
    assert found[0] == "service/bad"
    assert found.index("service/bad") < found.index("service/good")


def test_without_anything_odd_there_are_no_candidates_and_classes_are_never_one() -> None:
    assert ranked(CHAIN, {}) == []
    assert not [name for name in ranked(CHAIN, {"service/web@a": 0.1}, {"class/buy@west"}) if name.startswith("class/")]


def test_the_graph_of_a_shipped_system_leads_from_classes_to_regions() -> None:
    assert nx.has_path(GRAPH, "class/checkout", "database/orders@eu-1a")
    assert nx.has_path(GRAPH, "class/checkout", "provider/card-network")
    assert nx.has_path(GRAPH, "database/orders@eu-1a", "region/eu-1")
    assert not nx.has_path(GRAPH, "region/eu-1", "class/checkout")


nodes = st.sampled_from(sorted(GRAPH))


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(nodes, st.floats(0.05, 1.0), min_size=1, max_size=8))
def test_the_order_is_that_of_the_walk_computed_by_linear_algebra(anomalies: dict[str, float]) -> None:
    names = [*sorted(GRAPH), RESTART]
    place = {name: n for n, name in enumerate(names)}
    walk = np.zeros((len(names), len(names)))
    for node in GRAPH:
        below = {needed: max(anomalies.get(needed, 0.0), LEAST_WEIGHT) for needed in GRAPH.successors(node)}
        stays = max(0.0, anomalies.get(node, 0.0) - max(below.values(), default=0.0))
        for needed, weight in {**below, node: stays, **({} if below else {RESTART: 1.0 - stays})}.items():
            walk[place[node], place[needed]] += weight
    for node, weight in anomalies.items():
        walk[place[RESTART], place[node]] = weight
    walk /= walk.sum(axis=1, keepdims=True)
    start = np.zeros(len(names))
    start[place[RESTART]] = 1.0
    exact = np.linalg.solve(np.eye(len(names)) - DAMPING * walk.T, (1 - DAMPING) * start)
    summed: dict[str, float] = {}
    for name, score in zip(names[:-1], exact[:-1], strict=True):
        component = name.partition("@")[0]
        summed[component] = summed.get(component, 0.0) + score
    found = ranked(GRAPH, anomalies)
    assert set(found) == {name for name in summed if not name.startswith("class/")}
    scores = [summed[name] for name in found]
    assert all(first >= second - 1e-6 for first, second in pairwise(scores))


def fired(at: float, subject: str, **labels: str) -> Fired:
    return Fired(at, subject, labels_of(labels))


def test_alerts_of_one_trouble_are_one_cluster_and_a_stranger_stands_alone() -> None:
    alerts = [
        fired(0, "class/checkout", team="payments"),
        fired(15, "service/checkout@eu-1", team="payments", region="eu-1"),
        fired(30, "database/orders@eu-1a", team="payments", region="eu-1"),
        fired(45, "service/storefront@eu-1", team="payments", region="eu-1"),
        fired(9000, "queue/mail@eu-2", team="other", region="eu-2"),
    ]
    found = clustered(alerts, GRAPH)
    assert len(set(found[:4])) == 1
    assert found[4] != found[0]


def test_two_troubles_at_the_same_time_in_two_places_are_two_clusters() -> None:
    west = [
        fired(n, f"service/{name}@eu-1", team="a", region="eu-1") for n, name in enumerate(("edge", "storefront", "checkout"))
    ]
    late = [
        fired(4000 + n, f"service/{name}@eu-2", team="b", region="eu-2")
        for n, name in enumerate(("edge", "storefront", "checkout"))
    ]
    found = clustered([*west, *late], GRAPH)
    assert len(set(found[:3])) == len(set(found[3:])) == 1
    assert found[0] != found[3]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_few_alerts_are_one_cluster(count: int) -> None:
    assert clustered([fired(n * 5000.0, "class/checkout") for n in range(count)], GRAPH) == [0] * count


def test_no_module_of_monitoring_looks_at_the_faults() -> None:
    for name in ("gameday/alerting/candidates.py", "gameday/alerting/clusters.py", "sim/evidence.py"):
        text = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
        assert "faults" not in text
        assert "units" not in text


# -- links --------------------------------------------------------------------------------------------------------------

GITHUB = read_scenario(shipped_scenarios() / "github-2018-10-21.yaml")
COASTS = "link/us-east<->us-west"


def test_a_link_is_one_candidate_whichever_way_it_is_written() -> None:
    regions = ["eu-1", "eu-2"]
    for text in ("link/eu-1->eu-2", "link/eu-2->eu-1", "link/eu-2<->eu-1", "link/eu-1 <-> eu-2"):
        assert link_meant(text, regions) == "link/eu-1<->eu-2"
    for text in ("link/internet->eu-1", "link/eu-1->eu-1", "service/eu-1", "link/eu-1a<->eu-2a"):
        assert link_meant(text, regions) is None


def test_what_calls_or_replicates_over_a_link_needs_it_and_it_needs_its_ends() -> None:
    graph = dependency_graph(GITHUB.system, GITHUB.load)
    assert COASTS in links_of(GITHUB.system)
    assert set(graph.successors(COASTS)) == {"region/us-east", "region/us-west"}
    assert any(node.startswith("database/metadata@use-") for node in graph.predecessors(COASTS))


def test_a_cut_between_places_that_are_well_is_the_link_and_one_beside_a_dead_place_is_the_place() -> None:
    graph = dependency_graph(GITHUB.system, GITHUB.load)
    hurt = {"service/web@us-east": 0.9}
    assert ranked(graph, {**hurt, COASTS: 1.0}, {"class/browse"})[0] == COASTS
    dead = {
        **hurt,
        COASTS: 1.0,
        "region/us-east": 1.0,
        **{f"zone/{zone}": 1.0 for zone in GITHUB.system.regions["us-east"].zones},
    }
    places = ranked(graph, dead, {"class/browse"})
    assert places.index("region/us-east") < places.index(COASTS)


def anomalies_of(played: Played) -> dict[str, object]:
    found = played.first("alert.evidence").data["anomalies"]
    assert isinstance(found, dict)
    return dict(found)


def test_probers_find_a_cut_and_a_place_that_is_gone_and_tell_nothing_from_where_nobody_reads_them() -> None:
    day = {
        "schedule": {"faults": ["partition link/a<->b at 3m for 2m", "errors service/shop ratio=100% at 4m"]},
        "duration": "8m",
    }
    played = play(day)
    assert anomalies_of(played)["link/a<->b"] == 1.0
    whole = play({"duration": "8m", "schedule": {"faults": ["errors service/shop ratio=100% at 4m"]}})
    assert "link/a<->b" not in anomalies_of(whole)
