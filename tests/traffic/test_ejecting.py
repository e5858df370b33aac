"""Outlier ejection and panic: who is left out, for how long, how many, and when all are chosen again."""

from __future__ import annotations

from sim.traffic import Engine
from sim.traffic.changes import SetInstance
from sim.traffic.plan import OutlierPlan, Plan
from tests.traffic.build import engine, entry, flow, plan, station

PLAN = OutlierPlan(failures=5, base_s=10.0, longest_s=300.0, interval_s=10.0, most_ratio=0.5)


def _system(instances: int = 4, outlier: OutlierPlan | None = PLAN, **more: object) -> Plan:
    """A hundred requests a second, of which each of four instances gets a quarter."""
    served = station("s", 0.001, slots=99, zones=(0,) * instances, outlier=outlier, **more)
    return plan([served], [entry()], [flow(100.0)])


def _failed(run: Engine, seconds: float) -> int:
    """Requests lost in the next seconds."""
    before = sum(run.observe().lost[0])
    run.advance(run.now + seconds)
    return sum(run.observe().lost[0]) - before


def test_failures_in_a_row_eject_an_instance_for_the_base_time() -> None:
    run = engine(_system())
    run.apply(SetInstance(0, 1, error_ratio=1.0))
    assert _failed(run, 1.0) == 5
    assert _failed(run, 9.0) == 0
    assert _failed(run, 1.0) == 5  # back, found out again, and now out for twice as long
    assert _failed(run, 18.0) == 0
    assert _failed(run, 2.5) == 5


def test_a_good_answer_in_between_begins_the_count_anew() -> None:
    run = engine(_system(instances=1, outlier=OutlierPlan(5, 1e4), error_ratio=0.3))
    assert 25 < _failed(run, 1.0) < 40
    run = engine(_system(instances=2, outlier=OutlierPlan(60, 1e4), error_ratio=0.5))
    run.advance(20.0)
    assert min(run.observe().completed) > 900  # never sixty in a row


def test_the_dead_and_the_frozen_are_outliers_too() -> None:
    run = engine(_system())
    run.apply(SetInstance(0, 0, up=False))
    assert _failed(run, 5.0) == 5
    hung = plan([station("s", 0.001, slots=99, zones=(0,) * 4, outlier=PLAN)], [entry(timeout_s=0.2)], [flow(100.0)])
    run = engine(hung)
    run.apply(SetInstance(0, 0, frozen=True))
    assert 5 <= _failed(run, 5.0) <= 5 + 10  # those under way while the first five timed out


def test_no_more_than_the_allowed_share_is_ejected_but_always_one() -> None:
    for most_ratio, out in ((0.5, 2), (0.0, 1), (1.0, 4)):
        run = engine(_system(outlier=OutlierPlan(5, 1e4, 1e5, 10.0, most_ratio)))
        for number in range(4):
            run.apply(SetInstance(0, number, error_ratio=1.0))
        run.advance(5.0)
        arrived = run.observe().arrived[0]
        lost = _failed(run, 5.0)
        assert (run.observe().arrived[0] == arrived) == (out == 4)  # nobody left: nothing arrives any more
        assert lost > 400
        for number in range(4):
            run.apply(SetInstance(0, number, error_ratio=0.0, slowdown=1e6))
        run.advance(run.now + 1.0)
        held = [run.instance_busy(0, number)[0] for number in range(4)]
        assert held.count(0) == out


def test_time_in_rotation_is_forgiven_and_the_longest_time_is_kept() -> None:
    run = engine(_system(outlier=OutlierPlan(5, 10.0, 15.0, 10.0, 0.5)))
    run.apply(SetInstance(0, 1, error_ratio=1.0))
    assert _failed(run, 11.5) == 10  # out, back, out again for 15 s instead of 20 s
    assert _failed(run, 13.0) == 0
    assert _failed(run, 3.5) == 5
    run.apply(SetInstance(0, 1, error_ratio=0.0))
    run.advance(run.now + 60.0)  # well for so long that all is forgiven
    run.apply(SetInstance(0, 1, error_ratio=1.0))
    assert _failed(run, 1.0) == 5
    assert _failed(run, 8.5) == 0
    assert _failed(run, 2.0) == 5


def test_below_the_panic_threshold_all_are_chosen_again() -> None:
    """Two of four out of rotation is no panic at 50 %, three are; drained ones are not chosen even then and do not count."""
    run = engine(_system(outlier=None, panic_ratio=0.5))
    for number in (0, 1):
        run.apply(SetInstance(0, number, up=False, in_rotation=False))
    assert _failed(run, 2.0) == 0
    run.apply(SetInstance(0, 2, up=False, in_rotation=False))
    lost = _failed(run, 4.0)
    assert abs(lost - 300) < 60  # three of four requests meet a dead one
    run.apply(SetInstance(0, 0, drained=True))
    run.apply(SetInstance(0, 1, drained=True))
    run.advance(run.now + 0.1)
    assert _failed(run, 2.0) == 0  # one of two is in rotation
    run.apply(SetInstance(0, 0, drained=False))
    lost = _failed(run, 3.0)  # one of three: a panic again
    assert abs(lost - 200) < 50


def test_ejection_panics_too() -> None:
    run = engine(_system(outlier=OutlierPlan(5, 1e4, 1e5, 10.0, 1.0), panic_ratio=0.5))
    for number in range(3):
        run.apply(SetInstance(0, number, error_ratio=1.0))
    run.advance(2.0)
    lost = _failed(run, 4.0)
    assert abs(lost - 300) < 60


def _told(run: Engine) -> list[tuple[float, str, int]]:
    return [(round(note.t, 2), note.kind, note.instance) for note in run.take_notes()]


def test_an_ejection_and_the_return_are_noted_when_they_happen() -> None:
    run = engine(_system())
    run.apply(SetInstance(0, 1, error_ratio=1.0))
    run.advance(5.0)
    run.apply(SetInstance(0, 1, error_ratio=0.0))
    run.advance(60.0)
    (out_s, out, who), (back_s, back, who_back) = _told(run)
    assert (out, who, back, who_back) == ("outlier.ejected", 1, "outlier.readmitted", 1)
    assert back_s - out_s == 10.0
    assert not run.take_notes()


def test_a_panic_is_noted_once_when_it_begins_and_once_when_it_ends() -> None:
    run = engine(_system(outlier=None, panic_ratio=0.5))
    for number in range(2):
        run.apply(SetInstance(0, number, in_rotation=False))
    assert not run.take_notes()  # half are left, which is enough
    run.advance(3.0)
    run.apply(SetInstance(0, 2, in_rotation=False))
    run.apply(SetInstance(0, 3, in_rotation=False))
    assert _told(run) == [(3.0, "panic.started", -1)]
    run.advance(7.0)
    run.apply(SetInstance(0, 0, in_rotation=True))
    assert not run.take_notes()
    run.apply(SetInstance(0, 3, in_rotation=True))
    assert _told(run) == [(7.0, "panic.ended", -1)]


def test_an_ejection_that_brings_on_a_panic_is_noted_before_it() -> None:
    run = engine(_system(instances=2, outlier=OutlierPlan(5, 10.0, 300.0, 10.0, 0.5), panic_ratio=0.6))
    run.apply(SetInstance(0, 1, error_ratio=1.0))
    run.advance(5.0)
    assert [kind for _, kind, _ in _told(run)] == ["outlier.ejected", "panic.started"]
    run.advance(11.0)
    assert [kind for _, kind, _ in _told(run)][:2] == ["outlier.readmitted", "panic.ended"]
