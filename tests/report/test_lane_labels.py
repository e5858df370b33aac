"""Swim lanes: no label lies on another, whatever happened, and nothing that happened goes missing."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.report.plots import style, swimlanes
from gameday.report.plots.lanes import lanes, spans, text_of
from gameday.report.plots.placing import MOST_ROWS, Item, Ruler, place
from gameday.timeline import Event
from tests.report.made_up import END_S, event, region_loss_events


def _alert_storm() -> list[Event]:
    storm = [
        event(640 + 1.7 * i, "alert.firing", "service/x", rule=f"a-rule-with-quite-a-long-name-{i}", severity="page")
        for i in range(34)
    ]
    pages = [
        event(700 + i, "page.sent", "i/1", page=f"q{i}", person=f"someone-{i}", level=1, channel="call", urgency="high")
        for i in range(60)
    ]
    late = [
        event(2900 + 8 * i, "message.published", "i/1", audience="everybody-in-the-north", phase="monitoring") for i in range(12)
    ]
    return [*region_loss_events(), *storm, *pages, *late]


def _at_the_edges() -> list[Event]:
    return [
        event(0, "note", "", text="x"),
        event(0, "alert.firing", "service/x", rule="fires-from-the-start-and-for-ever", severity="page"),
        event(END_S, "incident.declared", "incident/1", severity="sev1", by="somebody-with-a-long-name"),
        event(END_S - 1, "page.escalated", "incident/1", page="p", from_level=1, to_level=2, why="nobody answered"),
    ]


@pytest.mark.parametrize("events", [region_loss_events(), _alert_storm(), _at_the_edges()], ids=["usual", "storm", "edges"])
def test_no_two_texts_of_the_picture_overlap(events: list[Event]) -> None:
    drawn = swimlanes.figure(lanes(events, END_S), 0.0, END_S, [(604.0, 1510.0)])
    for first, second in combinations(_boxes(drawn), 2):
        (text, a), (other, b) = first, second
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        # Boxes are as high as the font's tallest letter; two pixels of them are air.
        assert across <= 1 or down <= 2, f"{text!r} lies on {other!r}"


@pytest.mark.parametrize("events", [region_loss_events(), _alert_storm(), _at_the_edges()], ids=["usual", "storm", "edges"])
def test_all_texts_lie_inside_the_picture(events: list[Event]) -> None:
    drawn = swimlanes.figure(lanes(events, END_S), 0.0, END_S)
    width, height = drawn.bbox.width, drawn.bbox.height
    for text, box in _boxes(drawn):
        assert box.x0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y0 >= -1, text
        assert box.y1 <= height + 1, text


def _boxes(drawn: Any) -> list[tuple[str, Any]]:
    with style.drawing():
        drawn.canvas.draw()
        renderer = drawn.canvas.get_renderer()
        texts = [*drawn.texts, *(text for axes in drawn.axes for text in axes.texts)]
        for axes in drawn.axes:
            texts += [label for label in axes.get_xticklabels() if label.get_text()]
        return [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text().strip()]


def test_the_same_lanes_give_the_same_bytes() -> None:
    made = [
        style.svg(swimlanes.figure(lanes(_alert_storm(), END_S), 0.0, END_S), "key", "title", "description") for _ in range(2)
    ]
    assert made[0] == made[1]
    assert made[0].startswith("<svg")


def _width(text: str) -> float:
    return 5.0 * len(text)


_ITEMS = st.lists(
    st.builds(
        lambda start, length, name, landmark: Item(
            start, None if length is None else min(start + length, 1000.0), name, "#000000", landmark=landmark
        ),
        st.floats(0, 1000),
        st.none() | st.floats(0, 1000),
        st.text("abcdefgh", min_size=1, max_size=40),
        st.just(False),
    ),
    max_size=60,
)


@given(_ITEMS)
@settings(deadline=None, max_examples=80)
def test_things_in_one_row_never_touch_and_nothing_is_lost(items: list[Item]) -> None:
    ruler = Ruler(0.0, 1000.0, 700.0)
    layout = place(items, ruler, _width)
    assert sum(placed.item.members for placed in layout.placed) == len(items)
    assert layout.rows <= MOST_ROWS
    for row in range(layout.rows):
        taken = sorted(
            (placed.text_x_pt, placed.text_x_pt + _width(placed.text)) for placed in layout.placed if placed.row == row
        )
        for (_, end), (start, _) in pairwise(taken):
            assert end <= start + 1e-6


def test_a_lane_with_room_keeps_its_labels() -> None:
    layout = place([Item(10.0 * i, None, f"event {i}", "#000000") for i in range(5)], Ruler(0.0, 1000.0, 700.0), _width)
    assert [placed.text for placed in layout.placed] == [f"event {i}" for i in range(5)]
    assert layout.legend == ()


def test_a_crowded_lane_shows_numbers_and_explains_them() -> None:
    items = [Item(10.0 * i, None, f"a label that is rather long {i}", "#000000") for i in range(12)]
    layout = place(items, Ruler(0.0, 1000.0, 700.0), _width, first_number=4)
    assert [placed.text for placed in layout.placed] == [str(number) for number in range(4, 16)]
    assert (layout.legend[0][0], layout.legend[0][1].label) == ("4", "a label that is rather long 0")


def test_things_of_one_name_share_a_number_that_says_how_many_they_are() -> None:
    items = [Item(20.0 * i, None, "customers of the north ask" if i % 4 else f"message {i}", "#000000") for i in range(40)]
    layout = place(items, Ruler(0.0, 1000.0, 700.0), _width)
    assert sum(item.members for _, item in layout.legend) == 40
    assert "customers of the north ask (x30)" in [item.label for _, item in layout.legend]
    assert len(layout.legend) == 11


def test_a_landmark_is_never_bundled_away() -> None:
    items = [Item(100.0 + 0.01 * i, None, f"alert {i}", "#000000") for i in range(50)]
    items.append(Item(100.2, None, "incident declared", "#000000", landmark=True))
    layout = place(items, Ruler(0.0, 1000.0, 700.0), _width)
    assert "incident declared" in [placed.text for placed in layout.placed]
    assert sum(item.members for _, item in layout.legend) == 50


def test_what_did_not_end_is_drawn_to_the_edge_and_marked() -> None:
    found = {lane.name: lane for lane in lanes([event(5, "alert.firing", "service/x", rule="r", severity="page")], 60.0)}
    item = found["Alerts"].items[0]
    assert (item.start_s, item.end_s, item.open_ended) == (5.0, 60.0, True)


def test_a_start_is_paired_with_the_first_end_of_the_same_thing() -> None:
    events = [
        event(1, "alert.firing", "a", rule="r", severity="page"),
        event(2, "alert.firing", "b", rule="r", severity="page"),
        event(3, "alert.resolved", "b", rule="r", severity="page"),
        event(4, "alert.resolved", "a", rule="r", severity="page"),
    ]
    pairs = spans(events, "alert.firing", ("alert.resolved",), lambda one: (text_of(one, "rule"), one.subject))
    assert [(start.t, end.t if end else None) for start, end in pairs] == [(1.0, 4.0), (2.0, 3.0)]


@pytest.mark.parametrize(
    ("end_s", "expected"),
    [(600.0, "m:ss"), (3600.0, "m:ss"), (14_400.0, "h:mm"), (6.0, "m:ss"), (0.8, "s")],
)
def test_time_is_written_as_people_write_it(end_s: float, expected: str) -> None:
    ticks, texts, written = style.time_ticks(0.0, end_s)
    assert written == expected
    assert len(ticks) == len(texts) <= 12
    assert len(set(texts)) == len(texts)
    assert all("000" not in text.partition(".")[2] for text in texts)


def test_ejections_that_overlap_are_one_item_and_a_panic_has_its_own() -> None:
    at = {"station": "service/shop@eu-1"}
    out = [(100, "a"), (110, "b"), (300, "a"), (900, "b")]
    events = [event(t, "outlier.ejected", "service/shop@eu-1", **at, instance=f"shop@eu-1{who}/0") for t, who in out]
    events += [event(t + 30, "outlier.readmitted", "service/shop@eu-1", **at, instance=f"shop@eu-1{who}/0") for t, who in out[:3]]
    events += [event(112, "panic.started", "service/shop@eu-1", **at), event(130, "panic.ended", "service/shop@eu-1", **at)]
    (lane,) = lanes(sorted(events, key=lambda one: one.t), 1000.0)
    assert [(item.label, item.start_s, item.end_s, item.open_ended) for item in lane.items] == [
        ("panic: all chosen at shop@eu-1", 112, 130, False),
        ("ejected 2 times at shop@eu-1", 100, 140, False),
        ("ejected shop@eu-1a/0", 300, 330, False),
        ("ejected shop@eu-1b/0", 900, 1000, True),
    ]
