"""The picture of the system: columns follow the calls, nothing lies on anything, and what was hit is marked."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.report.damage import graph_with_impact
from gameday.report.model import ReportData
from gameday.report.plots import graph, style
from gameday.report.plots.layered import layered
from gameday.report.plots.system_graph import system_graph
from tests.report.made_up import SCENARIO, event, make_run, region_loss_events

_EDGES = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=50)


@given(_EDGES)
@settings(deadline=None, max_examples=60)
def test_columns_follow_the_calls_and_nodes_keep_their_distance(pairs: list[tuple[int, int]]) -> None:
    nodes = [f"n{i}" for i in range(20)]
    layout = layered(nodes, [(f"n{min(a, b)}", f"n{max(a, b)}") for a, b in pairs])
    for a, b in pairs:
        if a != b:
            assert layout.column[f"n{min(a, b)}"] < layout.column[f"n{max(a, b)}"]
    for first, second in combinations(nodes, 2):
        if layout.column[first] == layout.column[second]:
            assert abs(layout.height[first] - layout.height[second]) >= 1 - 1e-9
    assert all(-1e-9 <= height <= layout.rows - 1 + 1e-9 for height in layout.height.values())


@given(_EDGES)
@settings(deadline=None, max_examples=40)
def test_a_cycle_does_not_hang_the_layout(pairs: list[tuple[int, int]]) -> None:
    nodes = [f"n{i}" for i in range(20)]
    layout = layered(nodes, [(f"n{a}", f"n{b}") for a, b in pairs])
    assert set(layout.column) == set(nodes)


def test_a_long_edge_passes_between_the_boxes_of_the_columns_it_crosses() -> None:
    layout = layered(list("abcd"), [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
    bends = layout.bends["a", "d"]
    assert [column for column, _ in bends] == [1, 2]
    for column, height in bends:
        for node in "bc":
            if layout.column[node] == column:
                assert abs(layout.height[node] - height) >= 0.5


def test_a_service_is_one_box_per_region_and_a_database_stands_where_its_nodes_are(tmp_path: Path) -> None:
    scenario = ReportData.load(make_run(tmp_path / "run")).scenario
    made = system_graph(scenario.system, scenario.load)
    places = {(node.key, node.region): node.detail for node in made.nodes}
    assert places["service/storefront", "eu-1"] == "2 zones x 2"
    assert places["database/orders", "eu-1"] == "primary + 1 replica"
    assert places["database/orders", "eu-2"] == "1 replica"
    assert places["provider/card-network", ""] == "third party"
    calls = {(edge.source.key, edge.source.region, edge.target.key, edge.target.region) for edge in made.edges}
    assert ("service/checkout", "eu-2", "database/orders", "eu-1") in calls  # writes go to the primary
    assert ("clients/east", "eu-2", "service/edge", "eu-2") in calls


def test_boxes_say_what_happened_to_them(tmp_path: Path) -> None:
    data = ReportData.load(make_run(tmp_path / "run"))
    made = graph_with_impact(data.scenario, data.timeline, data.series, data.end_s)
    assert made.impact["service/edge", "eu-1"].text == "down 20m"
    refused = made.impact["service/edge", "eu-2"]
    expected = sum(float(np.nansum(one.values)) for one in data.series.find("service.refused")) * 5
    assert refused.level == "refusing"
    assert refused.text == f"refused {expected:,.0f} (22.5 %)".replace(",", "\N{NO-BREAK SPACE}")
    assert made.impact["database/orders", "eu-1"].text == "node down 21m40s"
    assert made.impact["database/orders", "eu-2"].text == "primary from 11:11"
    assert ("service/checkout", "eu-2") not in made.impact
    assert made.hit_zones == {"eu-1a", "eu-1b"}


def test_a_fault_on_one_service_marks_its_boxes_and_no_zone(tmp_path: Path) -> None:
    fault = {"fault": "slow", "index": 0, "selector": "service/checkout@eu-2", "parameters": {}, "origin": "schedule"}
    data = ReportData.load(make_run(tmp_path / "run", events=[event(600, "fault.injected", "service/checkout", **fault)]))
    made = graph_with_impact(data.scenario, data.timeline, data.series, data.end_s)
    assert made.hit == {("service/checkout", "eu-2")}
    assert made.hit_zones == frozenset()


def test_a_cut_link_is_named_at_both_of_its_regions(tmp_path: Path) -> None:
    fault = {"fault": "partition", "index": 0, "selector": "link/eu-1->eu-2", "parameters": {}, "origin": "schedule"}
    data = ReportData.load(make_run(tmp_path / "run", events=[event(600, "fault.injected", "link/eu-1->eu-2", **fault)]))
    made = graph_with_impact(data.scenario, data.timeline, data.series, data.end_s)
    assert made.hit_links == {("eu-1", "eu-2"), ("eu-2", "eu-1")}
    assert "eu-1   zones eu-1a, eu-1b   fault: link to eu-2" in [text.get_text() for text in graph.figure(made).axes[0].texts]


def test_a_target_that_only_a_live_adapter_knows_does_not_break_the_picture(tmp_path: Path) -> None:
    fault = {"fault": "kill", "index": 0, "selector": "pod/strange", "parameters": {}, "origin": "schedule"}
    data = ReportData.load(make_run(tmp_path / "run", events=[event(600, "fault.injected", "pod/strange", **fault)]))
    assert graph_with_impact(data.scenario, data.timeline, data.series, data.end_s).hit == frozenset()


def test_the_texts_of_twenty_services_stay_inside_their_boxes_and_apart(tmp_path: Path) -> None:
    many = "".join(
        f"    a-service-with-a-long-name-{i:02d}: {{instances: 1, slots: 4, service_time: exponential 20ms, "
        f"calls: [{', '.join(f'{{to: a-service-with-a-long-name-{j:02d}}}' for j in (2 * i + 1, 2 * i + 2, i + 7) if j < 20)}]}}\n"
        for i in range(20)
    )
    scenario = ReportData.load(
        make_run(tmp_path / "run", scenario=SCENARIO.replace("  databases:", f"{many}  databases:"))
    ).scenario
    drawn = graph.figure(system_graph(scenario.system, scenario.load))
    with style.drawing():
        drawn.canvas.draw()
        renderer = drawn.canvas.get_renderer()  # type: ignore[attr-defined]
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in drawn.axes[0].texts]
    names = [text for text, _ in boxes]
    assert sum(text.startswith("a-se") for text in names) == 40
    assert len({text for text in names if text.startswith("a-se")}) == 20
    for (text, a), (other, b) in combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 0 or down <= 2, f"{text!r} lies on {other!r}"


def test_a_graph_is_written_as_svg_or_as_png_by_its_name(tmp_path: Path) -> None:
    scenario = ReportData.load(make_run(tmp_path / "run", events=region_loss_events())).scenario
    graph.write_graph(SimpleNamespace(scenario=scenario), tmp_path / "system.svg")
    assert ET.parse(tmp_path / "system.svg").getroot().tag.endswith("svg")
    graph.write_graph(scenario, tmp_path / "system.png")
    assert (tmp_path / "system.png").read_bytes().startswith(b"\x89PNG")
