"""Every shipped scenario, shortened: it plays, nothing gets lost on the way, its record is valid and can be scored."""

from collections import Counter
from pathlib import Path

import pytest

import sim
from gameday.scenario import read_scenario
from gameday.scores import score
from gameday.timeline_kinds import kind_problems
from sim.day import Measures

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
DURATION_S = 12 * 60.0


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda path: path.stem)
def played(request):
    """The scenario, its record, and the day as it stood at the end."""
    scenario = read_scenario(request.param, [f"duration={DURATION_S:g}s"])
    worlds, finished = [], Measures.finish

    def finish(self):
        finished(self)
        worlds.append(self._world)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Measures, "finish", finish)
        recording = sim.run(scenario, 2)
    [world] = worlds
    return scenario, recording, world


def test_every_request_is_good_or_lost_or_under_way(played):
    scenario, recording, world = played
    seen = world.engine.observe()
    for (name, origin), flow in world.wiring.flows.items():
        labels = {"class": name, "origin": origin}
        good, lost = seen.good[flow], sum(seen.lost[flow])
        under_way = seen.offered[flow] - good - lost
        longest = scenario.load.classes[name].timeout * 4
        last = recording.series.one("requests.offered", labels).between(DURATION_S - longest, DURATION_S + 1.0)
        assert 0 <= under_way <= last.values.sum()
        for series, count in (("requests.offered", seen.offered[flow]), ("requests.good", good), ("requests.lost", lost)):
            assert sum(float(one.values.sum()) for one in recording.series.find(series, labels)) == count


def test_what_arrived_at_a_station_was_completed_or_failed_or_is_there(played):
    world = played[2]
    seen = world.engine.observe()
    for n, arrived in enumerate(seen.arrived):
        assert arrived == seen.completed[n] + seen.failed[n] + seen.busy[n] + seen.queued[n]


def test_every_event_is_of_a_known_kind_in_order_and_inside_the_day(played):
    timeline = played[1].timeline
    assert [problem for event in timeline for problem in kind_problems(event.kind, event.subject, event.data)] == []
    assert [event.t for event in timeline] == sorted(event.t for event in timeline)
    assert all(0.0 <= event.t <= DURATION_S for event in timeline)
    assert (timeline[0].kind, timeline[-1].kind) == ("run.started", "run.ended")


def test_every_fault_is_healed_or_still_in_force_and_none_failed(played):
    scenario, recording, _ = played
    kinds = Counter((event.kind, event.data["index"]) for event in recording.timeline.of("fault.*"))
    assert not recording.timeline.of("fault.failed")
    for index, planned in enumerate(scenario.schedule.faults):
        injected, healed = kinds["fault.injected", str(index)], kinds["fault.healed", str(index)]
        assert injected == (planned.at < DURATION_S)
        assert healed <= injected
        if planned.lasts is not None and planned.at + planned.lasts < DURATION_S:
            assert healed == 1


def test_impacts_begin_and_end_in_turns(played):
    scenario, recording, _ = played
    for name in scenario.load.classes:
        kinds = [event.kind for event in recording.timeline.of("impact.*") if event.subject == f"class/{name}"]
        assert kinds == (["impact.started", "impact.ended"] * len(kinds))[: len(kinds)]


def test_series_hold_shares_in_their_range_and_gauges_that_are_not_negative(played):
    for one in played[1].series:
        assert (one.values >= 0.0).all(), one
        assert (one.t <= DURATION_S).all()
        if one.name in ("dns.share", "edge.breaker_open"):
            assert (one.values <= 1.0).all(), one


def test_no_scorer_crashes_on_it(played):
    scenario, recording, _ = played
    results = score(recording, scenario).results
    assert results
    assert [result.kpi for result in results if "crashed" in result.note] == []
