"""What the report explains an outage with: rows of stations, single requests, caches and limiters, what became of who was hurt."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.report.aftermaths import after_rows
from gameday.report.html import html
from gameday.report.markdown import markdown
from gameday.report.model import ReportData
from gameday.report.plots.guards import guard_rows
from gameday.report.plots.slim import slim
from gameday.report.stations import MOST_POINTS, most_telling, on_path, station_rows
from gameday.report.waterfalls import MOST_ATTEMPTS, waterfall, waterfalls
from gameday.timeline import Series, SeriesSet, Timeline
from gameday.traces import Attempt, Trace, to_bytes
from tests.report.made_up import END_S, SCENARIO, event, make_run, region_loss_events, region_loss_series

FIVE = np.arange(5.0, END_S + 1, 5.0)
HURT = [(600.0, 900.0)]


def _station(
    made: SeriesSet, kind: str, labels: dict[str, str], rate: float, failed: dict[str, float], wasted: float = 0.0
) -> None:
    """A station at a constant rate which fails, and works for nobody, from 600 to 900 s."""
    bad = (FIVE > 600) & (FIVE <= 900)
    made.add(Series(f"{kind}.arrived", labels, FIVE, np.full(len(FIVE), rate)))
    made.add(Series(f"{kind}.good", labels, FIVE, np.where(bad, rate - sum(failed.values()), rate)))
    for reason, lost in failed.items():
        made.add(Series(f"{kind}.failed", {**labels, "reason": reason}, FIVE, np.where(bad, lost, 0.0)))
    if wasted:
        made.add(Series(f"{kind}.wasted", labels, FIVE, np.where(bad, wasted, 0.0)))
    made.add(Series(f"{kind}.queue", labels, FIVE, np.where(bad, 7.0, 0.0)))
    made.add(Series(f"{kind}.latency_p99", labels, FIVE[FIVE > 100], np.full(int((FIVE > 100).sum()), 0.5)))


def _series() -> SeriesSet:
    made = region_loss_series(np.random.default_rng(1))
    _station(made, "service", {"service": "edge", "region": "eu-1"}, 80.0, {"timeout": 4.0, "queue_full": 6.0})
    _station(made, "service", {"service": "checkout", "region": "eu-1"}, 20.0, {"timeout": 15.0}, wasted=3.0)
    _station(made, "service", {"service": "recommendations", "region": "eu-1"}, 30.0, {"error": 30.0})
    _station(made, "provider", {"provider": "card-network"}, 20.0, {})
    _station(made, "database", {"database": "orders", "node": "eu-1a"}, 20.0, {"refused": 1.0})
    return made


@pytest.fixture
def data(tmp_path: Path) -> ReportData:
    return ReportData.load(make_run(tmp_path / "run", series=_series()))


def test_the_worst_station_on_the_way_of_who_was_hurt_comes_first(data: ReportData) -> None:
    rows = station_rows(data.scenario, data.series, data.end_s, HURT, ["checkout"])
    assert [(row.title, row.failed_then) for row in rows] == [
        ("checkout in eu-1", 15 * 300),
        ("edge in eu-1", 10 * 300),
        ("database orders in eu-1a", 300),
        ("provider card-network", 0),
        ("recommendations in eu-1", 30 * 300),  # checkout does not come there
    ]
    assert [row.title for row in most_telling(rows)] == ["checkout in eu-1", "edge in eu-1", "database orders in eu-1a"]
    assert rows[1].why == "3\N{NO-BREAK SPACE}000 failed (queue full 60 %, timeout 40 %)"
    assert (rows[0].wasted_then, rows[0].longest_queue, rows[0].slowest_s) == (900, 7, 0.5)


def test_only_what_failed_while_users_were_hurt_counts_and_all_of_it_where_nobody_was(data: ReportData) -> None:
    first, *_ = station_rows(data.scenario, data.series, data.end_s, [(800.0, 895.0)], ["checkout"])
    assert first.failed_then == 15 * 100
    rows = station_rows(data.scenario, data.series, data.end_s, [], [])
    assert [row.title for row in rows[:2]] == ["recommendations in eu-1", "checkout in eu-1"]


def test_fewer_points_hold_as_many_requests_and_the_highest_queue(data: ReportData) -> None:
    row = station_rows(data.scenario, data.series, data.end_s, HURT, ["checkout"])[0]
    step_s = row.t[1] - row.t[0]
    assert len(row.t) <= MOST_POINTS
    assert row.arrived.sum() * step_s == pytest.approx(20.0 * END_S)
    assert row.failed["timeout"].sum() * step_s == pytest.approx(15.0 * 300)
    assert set(row.waiting) == {0.0, 7.0}
    assert np.isnan(row.p99_s[0])
    assert np.isnan(row.busy).all()


def test_a_class_comes_to_what_its_calls_reach_over_queues_too(data: ReportData) -> None:
    assert on_path(data.scenario, ["checkout"]) == {
        "service/edge",
        "service/checkout",
        "provider/card-network",
        "database/orders",
        "queue/receipts",
        "service/notifier",
    }
    assert on_path(data.scenario, ["browse"]) == {"service/edge", "service/storefront", "service/recommendations"}
    both = on_path(data.scenario, ["checkout", "browse"])
    assert both == on_path(data.scenario, ["checkout"]) | on_path(data.scenario, ["browse"])  # edge is entered by both


# -- what became of who was hurt --------------------------------------------------------------------------------------------


def _flow(name: str, good: np.ndarray[tuple[int], np.dtype[np.float64]]) -> SeriesSet:
    t = np.arange(1.0, END_S + 1)
    labels = {"class": name, "origin": "west"}
    return SeriesSet([Series("requests.offered", labels, t, np.full(len(t), 10.0)), Series("requests.good", labels, t, good)])


def _after(
    data: ReportData, sick: list[tuple[float, float]], healed: bool = True, ended_s: float | None = None
) -> tuple[str, str]:
    t = np.arange(1.0, END_S + 1)
    good = np.full(len(t), 10.0)
    for start_s, end_s in sick:
        good[(t > start_s) & (t <= end_s)] = 2.0
    fault = {"fault": "kill", "index": 0, "selector": "region/eu-1", "parameters": {}, "origin": "schedule"}
    impact = {"flow": "checkout", "good_ratio": 0.2, "objective": 0.95, "cause": [0]}
    events = [event(600, "fault.injected", "region/eu-1", **fault), event(604, "impact.started", "class/checkout", **impact)]
    events += [event(ended_s, "impact.ended", "class/checkout", **impact)] if ended_s is not None else []
    events += [event(1200, "fault.healed", "region/eu-1", **fault)] if healed else []
    events += [event(END_S, "run.ended", "region-loss")]
    rows = after_rows(data.scenario, Timeline({}, events), _flow("checkout", good))
    assert len(rows) == 1
    assert rows[0].trigger == (600.0, 1200.0 if healed else END_S)
    return rows[0].state, rows[0].sentence


def test_who_is_well_for_good_after_the_cause_has_recovered(data: ReportData) -> None:
    assert _after(data, [(600, 1200)]) == ("recovered", "well as soon as its cause was gone")
    assert _after(data, [(600, 1240)]) == ("recovered", "well 40s after its cause was gone")


def test_who_was_well_before_the_cause_was_gone_is_said_to_be(data: ReportData) -> None:
    told = ("recovered", "well again 1m36s later, before its cause was gone")
    assert _after(data, [(600, 700)], ended_s=700.0) == told


def test_who_stays_sick_without_cause_and_demand_is_metastable(data: ReportData) -> None:
    assert _after(data, [(600, 1500)]) == (
        "metastable",
        "unwell for 5m in a row with neither its cause nor more demand than before",
    )


def test_who_is_never_well_for_long_nor_sick_for_long_is_degraded(data: ReportData) -> None:
    on_and_off = [(600.0, 1200.0), *((float(t), t + 10.0) for t in range(1210, int(END_S), 20))]
    assert _after(data, on_and_off) == ("degraded", "never well for half a minute in a row after its cause was gone")


def test_nothing_is_judged_while_the_cause_lasts(data: ReportData) -> None:
    assert _after(data, [(600, 3000)], healed=False) == ("not judged", "its cause lasted to the end of what was looked at")


# -- caches and limiters ------------------------------------------------------------------------------------------------------


def test_a_cache_and_a_limiter_have_a_row_each() -> None:
    def each(name: str, labels: dict[str, str], value: float) -> Series:
        return Series(name, labels, FIVE, np.full(len(FIVE), value))

    here, edge = {"service": "edge", "region": "eu-1"}, {"edge": "edge@eu-1 -> catalog"}
    made = SeriesSet(
        [
            each(f"service.{name}", here, value)
            for name, value in (("limit", 20.0), ("in_flight", 18.0), ("limited", 5.0), ("arrived", 9.0))
        ]
        + [each(f"edge.cache_{name}", edge, value) for name, value in (("hits", 6.0), ("misses", 1.0), ("joined", 1.0))]
    )
    for name in ("hits", "misses", "joined"):
        made.add(each(f"edge.cache_{name}", {"edge": "edge@eu-2 -> catalog"}, 0.0))  # nobody asked
    limiter, cache = guard_rows(made)
    assert (limiter.title, cache.title) == ("limiter of edge in eu-1", "cache for edge@eu-1 -> catalog")
    assert {name: rates[0] for name, _, rates in limiter.stacked} == {"let in": 4.0, "refused by the limiter": 5.0}
    assert cache.lines[0][2][0] == 75.0
    assert guard_rows(SeriesSet()) == []


# -- single requests ----------------------------------------------------------------------------------------------------------

DIED = Trace(
    "buy",
    "east",
    700.0,
    702.0,
    "TIMEOUT",
    (
        Attempt(0, None, "client/buy", "edge@eu", "edge@eu-1/0", 700.0, 700.5, 702.5, 702.0, "TIMEOUT"),
        Attempt(0, 0, "edge -> pay", "pay@eu", "pay@eu-1/0", 700.6, 700.8, 701.8, 701.6, "TIMEOUT"),
        Attempt(1, 0, "edge -> pay", "pay@eu", "pay@eu-1/1", 701.7, None, None, 701.7, "QUEUE_FULL"),
        Attempt(0, 0, "edge -> tips", "", "", 701.8, None, None, 701.8, "BREAKER_OPEN"),
    ),
)


def test_a_waterfall_shows_waiting_work_and_work_for_nobody_to_scale() -> None:
    shown = waterfall(DIED)
    assert [(line.depth, line.where, line.fate) for line in shown.lines] == [
        (0, "edge@eu-1/0", "timeout"),
        (1, "pay@eu-1/0", "timeout"),
        (1, "pay@eu-1/1, try 2", "queue full"),
        (1, "edge -> tips (never left)", "breaker open"),
    ]
    bars = [[(bar.what, bar.left, bar.width) for bar in line.bars] for line in shown.lines]
    assert bars[0] == [("wait", 0.0, 25.0), ("work", 25.0, 75.0)]  # what goes on after the end is off the scale
    assert bars[1] == [("wait", 30.0, 10.0), ("work", 40.0, 40.0), ("void", 80.0, 10.0)]
    assert bars[2:] == [[], []]
    assert [line.died for line in shown.lines] == [True, False, False, False]


def test_what_was_turned_away_on_arrival_was_on_the_way_and_did_not_wait() -> None:
    away = Attempt(0, None, "client/buy", "edge@eu", "edge@eu-1/0", 700.0, None, None, 702.0, "REFUSED")
    assert [bar.what for bar in waterfall(replace(DIED, outcome="REFUSED", attempts=(away,))).lines[0].bars] == ["trip"]
    late = replace(away, outcome="TIMEOUT")
    assert [bar.what for bar in waterfall(replace(DIED, attempts=(late,))).lines[0].bars] == ["wait"]


def test_of_many_attempts_the_one_it_died_of_is_always_shown() -> None:
    good = Attempt(0, 0, "edge -> x", "x@eu", "x@eu-1/0", 700.1, 700.1, 700.2, 700.2, "ok")
    last = Attempt(0, 0, "edge -> y", "y@eu", "y@eu-1/0", 700.3, 700.4, None, 702.0, "TIMEOUT")
    many = replace(DIED, attempts=(DIED.attempts[0], *[good] * 40, last))
    shown = waterfall(many)
    assert len(shown.lines) == MOST_ATTEMPTS + 1
    assert shown.left_out == 42 - MOST_ATTEMPTS - 1
    assert shown.lines[-1].died


def test_what_was_answered_too_late_died_nowhere() -> None:
    again = replace(DIED.attempts[0], number=1, sent=702.1, started=702.1, left=704.0, settled=704.0, outcome="ok")
    late = replace(DIED, ended=704.0, outcome="LATE", attempts=(*DIED.attempts, again))
    assert not any(line.died for line in waterfall(late).lines)


def test_one_request_for_each_reason_and_the_slowest_good_one_of_each_class_are_shown() -> None:
    good = [
        replace(DIED, request_class=name, outcome="ok", ended=end_s)
        for name, end_s in (("buy", 701), ("buy", 703), ("look", 701))
    ]
    early, other = replace(DIED, began=1.0, ended=9.0, outcome="SHED"), replace(DIED, outcome="LATE")
    shown = waterfalls([early, DIED, DIED, other, *good], since_s=120.0)
    assert [(one.title.partition(" (")[0], one.took_s) for one in shown] == [
        ("buy: timeout", 2.0),
        ("buy: late", 2.0),
        ("buy: the slowest that was answered in time", 3.0),
        ("look: the slowest that was answered in time", 1.0),
    ]


# -- the page -----------------------------------------------------------------------------------------------------------------


def test_the_page_shows_stations_requests_and_recovery_and_obeys_no_name(tmp_path: Path) -> None:
    attack = "<script>alert(1)</script>"
    folder = make_run(tmp_path / "run", series=_series())
    named = replace(DIED, request_class=attack, attempts=(replace(DIED.attempts[0], instance=attack), *DIED.attempts[1:]))
    folder.write_bytes(folder.traces, to_bytes([named]))
    page = html(ReportData.load(folder))
    assert "<script>" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 2
    for key in ("stations", "more-stations", "aftermath"):
        assert f'id="{key}-title"' in page
    assert 'class="bar void"' in page
    assert "recommendations in eu-1" in page
    assert "Caches and limiters</h3>" not in page


def test_the_page_for_pull_requests_names_stations_and_states(data: ReportData) -> None:
    page = markdown(data)
    assert "| checkout in eu-1 | " in page
    assert "## Once the cause was gone" in page
    assert re.search(r"\| (checkout|browse) \| (recovered|degraded|metastable|not judged) \| \w", page)


def test_what_stands_between_backticks_is_code_and_a_single_one_is_only_a_sign(tmp_path: Path) -> None:
    for text, shown in (("try `--set x=<1>` now", "try <code>--set x=&lt;1&gt;</code> now"), ("a ` b", "a ` b")):
        folder = make_run(tmp_path / str(len(text)), scenario=re.sub("teaches: .*", f"teaches: '{text}'", SCENARIO))
        assert f"<p>{shown}</p>" in html(ReportData.load(folder))


def test_a_page_without_series_and_traces_says_so(tmp_path: Path) -> None:
    page = html(ReportData.load(make_run(tmp_path / "run", series=SeriesSet(), events=region_loss_events())))
    assert "There are no series of single services in this run." in page
    assert "No single request was traced in this run." in page
    quiet = make_run(tmp_path / "quiet", events=[event(END_S, "run.ended", "region-loss")])
    assert "Nobody was hurt, so nothing had to recover." in html(ReportData.load(quiet))


# -- short pictures -----------------------------------------------------------------------------------------------------------

_NUMBER = r"-?\d*\.?\d+"


def _positions(path: str) -> list[tuple[float, float]]:
    """Where a path goes that has been made short."""
    x = y = 0.0
    found = []
    for letter, rest in re.findall(r"([Mlhv])([^Mlhvz]*)", path):
        numbers = [float(text) for text in re.findall(_NUMBER, rest)]
        if letter == "M":
            x, y = numbers
        else:
            x += numbers[0] if letter in "lh" else 0.0
            y += numbers[-1] if letter in "lv" else 0.0
        found.append((x, y))
    return found


@given(st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), min_size=1, max_size=60))
def test_a_short_path_goes_where_the_long_one_went(points: list[tuple[float, float]]) -> None:
    long = " ".join(f"{'ML'[number > 0]} {x:.6f} {y:.6f} \n" for number, (x, y) in enumerate(points))
    found = re.search(r' d="([^"]*)"', slim(f'<svg><path d="{long}"/></svg>'))
    assert found is not None
    walked = _positions(found[1])
    kept = [point for number, point in enumerate(points) if not number or _tenths(point) != _tenths(points[number - 1])]
    assert len(walked) == len(kept)
    for (x, y), (there_x, there_y) in zip(walked, kept, strict=True):
        assert abs(x - there_x) < 0.051
        assert abs(y - there_y) < 0.051


def _tenths(point: tuple[float, float]) -> tuple[int, int]:
    return round(float(f"{point[0]:.6f}") * 10), round(float(f"{point[1]:.6f}") * 10)


def test_what_others_refer_to_keeps_its_name_and_letters_keep_their_scale() -> None:
    long = '<svg> <g id="axes_1">\n <path id="glyph" d="M 10.000000 2.5 \nQ 1.25 2 -3 4 \nz\n" transform="scale(0.015625)"/>\n</g><use xlink:href="#glyph" x="1.234567"/></svg>'
    assert slim(long) == (
        '<svg><g><path id="glyph" d="M10 2.5Q1.25 2-3 4z" transform="scale(0.015625)"/></g><use xlink:href="#glyph" x="1.23"/></svg>'
    )
