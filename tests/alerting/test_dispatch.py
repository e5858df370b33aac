"""Groups, timers, deduplication, silences, inhibition: behaviours pinned by Alertmanager's tests, from their description."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import pytest

from gameday.alerting.alert import Alert, Notification, labels_of
from gameday.alerting.dispatch import AlertKey, Dispatcher, LogEntry, needs_update
from gameday.alerting.matchers import Matchers, one_of, parse_matchers
from gameday.alerting.mute import InhibitRule, SilencePeriod, held_by_hours
from gameday.alerting.routes import OFFICE_HOURS, Receiver, Route, standard_tree, tree_of
from gameday.people import WeeklyHours, office_hours, wall_time
from gameday.scenario.routing import Route as WrittenRoute

FOR_EVER = 1e9


def alert(rule: str, starts_at: float = 0.0, ends_at: float = FOR_EVER, severity: str = "page", **labels: str) -> Alert:
    everything = labels_of({"rule": rule, "severity": severity, **labels})
    return Alert(everything, rule, labels.get("component", "service/shop"), severity, labels.get("team"), 1.0, starts_at, ends_at)


def play(dispatcher: Dispatcher, sends: Sequence[tuple[float, Alert]], until: float) -> list[Notification]:
    """Send alerts at their times and flush whenever the dispatcher wants to be asked."""
    notified: list[Notification] = []
    waiting = sorted(sends, key=lambda send: send[0])
    while True:
        next_flush = dispatcher.next_at()
        now = min(waiting[0][0] if waiting else FOR_EVER, FOR_EVER if next_flush is None else next_flush)
        if now > until:
            return notified
        while waiting and waiting[0][0] == now:
            dispatcher.receive(waiting.pop(0)[1], now)
        notified += dispatcher.flush(now)


def told(notified: list[Notification]) -> list[tuple[float, str, list[str], list[str]]]:
    return [(n.at, n.reason, [a.rule for a in n.firing], [a.rule for a in n.resolved]) for n in notified]


def rules(*names: str) -> Matchers:
    return (one_of("rule", names),)


def test_the_first_notification_of_a_group_waits_for_group_wait_and_gathers_what_came_meanwhile() -> None:
    notified = play(Dispatcher(), [(10, alert("a", 10)), (35, alert("b", 35))], 100)
    assert told(notified) == [(40, "first_notification", ["a", "b"], [])]


def test_an_alert_that_comes_after_the_first_flush_waits_for_group_interval() -> None:
    notified = play(Dispatcher(), [(0, alert("a")), (31, alert("b", 31))], 1000)
    assert told(notified) == [(30, "first_notification", ["a"], []), (330, "new_alerts", ["a", "b"], [])]


def test_an_alert_that_began_longer_than_group_wait_ago_is_flushed_at_once() -> None:
    assert told(play(Dispatcher(), [(100, alert("a", 69.9))], 100)) == [(100, "first_notification", ["a"], [])]
    assert told(play(Dispatcher(), [(100, alert("a", 70))], 129.9)) == []


def test_an_alert_that_is_over_before_the_first_flush_is_never_notified() -> None:
    assert play(Dispatcher(), [(0, alert("a")), (20, alert("a", 0, 20))], 5000) == []


def test_a_resolved_alert_is_notified_at_the_next_flush() -> None:
    notified = play(Dispatcher(), [(0, alert("a")), (60, alert("a", 0, 60))], 5000)
    assert told(notified) == [(30, "first_notification", ["a"], []), (330, "all_resolved", [], ["a"])]


def test_an_alert_that_is_not_sent_again_counts_as_resolved_from_its_end() -> None:
    notified = play(Dispatcher(), [(0, alert("a", 0, 240))], 5000)
    assert told(notified) == [(30, "first_notification", ["a"], []), (330, "all_resolved", [], ["a"])]


def test_a_new_alert_after_the_group_has_been_cleaned_up_waits_for_group_wait_again() -> None:
    notified = play(Dispatcher(), [(0, alert("a")), (60, alert("a", 0, 60)), (365, alert("a", 365))], 5000)
    assert [n.at for n in notified][:3] == [30, 330, 395]
    assert notified[2].reason == "first_notification"


def test_a_group_that_has_told_its_recovery_lives_until_the_next_clean_up_and_keeps_its_rhythm() -> None:
    notified = play(Dispatcher(), [(0, alert("a")), (60, alert("a", 0, 60)), (340, alert("a", 340))], 5000)
    assert [n.at for n in notified][:3] == [30, 330, 630]


def test_a_resolved_alert_makes_a_group_which_what_comes_after_it_finds_flushed() -> None:
    notified = play(Dispatcher(), [(100, alert("a", 0, 50)), (110, alert("b", 110))], 5000)
    assert told(notified) == [(400, "first_notification", ["b"], [])]


def test_a_late_alert_that_began_long_ago_hurries_the_first_flush_of_its_group() -> None:
    notified = play(Dispatcher(), [(100, alert("a", 100)), (110, alert("b", 50))], 120)
    assert told(notified) == [(110, "first_notification", ["b", "a"], [])]


def test_what_was_notified_is_forgotten_after_twice_the_repeat_interval() -> None:
    grouping = standard_tree(repeat_s=300)
    silence = SilencePeriod(rules("a"), 40, 2000, "long work")
    sends = [(0, alert("a")), (1000, alert("a", 0, 1000))]
    assert [n.reason for n in play(Dispatcher(grouping, silences=[silence]), sends, 5000)] == ["first_notification"]
    still_known = Dispatcher(standard_tree(repeat_s=3000), silences=[silence])
    assert [n.reason for n in play(still_known, [(0, alert("a")), (2050, alert("a", 0, 2050))], 5000)][-1] == "all_resolved"
    forgotten = Dispatcher(grouping, silences=[silence])
    assert [n.reason for n in play(forgotten, [(0, alert("a")), (2050, alert("a", 0, 2050))], 5000)] == ["first_notification"]


def test_alerts_sent_with_overlapping_times_keep_the_earlier_start() -> None:
    notified = play(Dispatcher(), [(0, alert("a", 0, 500)), (10, alert("a", 5, 600))], 40)
    assert [(a.starts_at, a.ends_at) for n in notified for a in n.firing] == [(0, 600)]


def test_a_receiver_that_is_not_sent_recoveries_is_told_firing_alerts_only() -> None:
    dispatcher = Dispatcher(Route("desk"), receivers={"desk": Receiver("desk", send_resolved=False)})
    sends = [(0, alert("a")), (0, alert("b")), (60, alert("a", 0, 60)), (700, alert("b", 0, 700))]
    assert told(play(dispatcher, sends, 20_000)) == [(30, "first_notification", ["a", "b"], [])]


def test_a_node_takes_what_none_of_its_children_takes_and_continue_asks_the_next_child() -> None:
    written = WrittenRoute.model_validate(
        {
            "receiver": "top",
            "routes": [
                {"matchers": ['team="x"'], "receiver": "x", "continue": True, "routes": [{"matchers": ['rule="b"']}]},
                {"matchers": ['team=~"x|y"'], "receiver": "xy", "group_by": ["..."]},
                {"receiver": "rest", "matchers": ['team="y"']},
            ],
        }
    )
    tree = tree_of(written)
    names = {team: [r.receiver for r in tree.matching({"rule": "a", "team": team})] for team in ("x", "y", "z")}
    assert names == {"x": ["x", "xy"], "y": ["xy"], "z": ["top"]}
    assert [r.number for r in tree.matching({"rule": "b", "team": "x"})] == [2, 3]


def test_an_alert_that_comes_and_goes_between_two_flushes_is_not_notified() -> None:
    sends = [(0, alert("a")), (40, alert("b", 40)), (60, alert("b", 40, 60))]
    notified = play(Dispatcher(), sends, 400)
    assert [(n.at, n.reason) for n in notified if any(a.rule == "b" for a in n.firing)] == []


def test_an_alert_that_recovers_and_fires_again_between_two_flushes_is_not_notified_twice() -> None:
    sends = [(0, alert("a")), (60, alert("a", 0, 60)), (90, alert("a", 90))]
    assert told(play(Dispatcher(), sends, 1000)) == [(30, "first_notification", ["a"], [])]


def test_an_unchanged_group_is_repeated_at_the_first_flush_after_more_than_repeat_interval() -> None:
    grouping = standard_tree(repeat_s=600)
    assert [n.at for n in play(Dispatcher(grouping), [(0, alert("a"))], 2000)] == [30, 930, 1830]


def test_alerts_with_other_group_labels_are_another_group() -> None:
    dispatcher = Dispatcher(standard_tree(by=("component",)))
    sends = [(0, alert("a", component="service/x")), (0, alert("a", component="service/y"))]
    notified = play(dispatcher, sends, 30)
    assert [dict(n.group) for n in notified] == [{"component": "service/x"}, {"component": "service/y"}]
    assert len({n.group_key for n in notified}) == 2


def test_teams_and_severities_are_never_in_one_notification() -> None:
    dispatcher = Dispatcher(standard_tree(by=("region",)))
    sends = [(0.0, alert("a", team="x")), (0.0, alert("b", team="y")), (0.0, alert("c", severity="ticket", team="x"))]
    notified = play(dispatcher, sends, 30)
    assert [(n.receiver, n.team, [a.rule for a in n.firing]) for n in notified] == [
        ("page", "x", ["a"]),
        ("page", "y", ["b"]),
        ("ticket", "x", ["c"]),
    ]


A, B = ((("rule", "a"),), "page"), ((("rule", "b"),), "page")


@pytest.mark.parametrize(
    ("last", "firing", "resolved", "age_s", "reason"),
    [
        (None, {A}, set(), 0, "first_notification"),
        (None, set(), {A}, 0, None),
        (({A}, set()), {A, B}, set(), 1, "new_alerts"),
        (({A}, set()), {B}, {A}, 1, "new_alerts"),
        ((set(), {A}), {A}, set(), 1, "first_notification"),
        (({A}, set()), set(), {A}, 1, "all_resolved"),
        ((set(), {A}), set(), {B}, 1, None),
        (({A, B}, set()), {A}, {B}, 1, "new_resolved"),
        (({A, B}, {B}), {A}, {B}, 1, None),
        (({A, B}, set()), {A}, set(), 1, None),
        (({A}, set()), {A}, set(), 3600, None),
        (({A}, set()), {A}, set(), 3601, "repeat"),
        ((set(), {A}), set(), {A}, 99_999, None),
    ],
)
def test_the_deduplication_table(
    last: tuple[set[AlertKey], set[AlertKey]] | None,
    firing: set[AlertKey],
    resolved: set[AlertKey],
    age_s: float,
    reason: str | None,
) -> None:
    entry = None if last is None else LogEntry(0, frozenset(last[0]), frozenset(last[1]))
    assert needs_update(entry, frozenset(firing), frozenset(resolved), 3600, age_s) == reason


def test_a_receiver_that_cannot_be_reached_is_told_at_the_next_flush() -> None:
    dispatcher = Dispatcher()
    dispatcher.receive(alert("a"), 0)
    assert dispatcher.flush(30, reachable=False) == []
    assert dispatcher.next_at() == 330
    assert told(dispatcher.flush(330)) == [(330, "first_notification", ["a"], [])]


def test_a_group_with_nothing_to_tell_goes_away_although_nobody_can_be_reached() -> None:
    dispatcher = Dispatcher()
    dispatcher.receive(alert("a"), 0)
    dispatcher.receive(alert("a", 0, 20), 20)
    assert dispatcher.flush(30, reachable=False) == []
    assert dispatcher.next_at() is None


def test_a_recovery_that_could_not_be_told_is_told_later() -> None:
    dispatcher = Dispatcher()
    dispatcher.receive(alert("a"), 0)
    dispatcher.flush(30)
    dispatcher.receive(alert("a", 0, 60), 60)
    assert dispatcher.flush(330, reachable=False) == []
    assert told(dispatcher.flush(630)) == [(630, "all_resolved", [], ["a"])]


def test_after_a_restart_the_same_alerts_are_not_notified_again() -> None:
    dispatcher = Dispatcher()
    play(dispatcher, [(0, alert("a"))], 30)
    dispatcher.forget(30)
    assert play(dispatcher, [(60, alert("a", 55))], 1000) == []


def test_a_silence_holds_from_its_start_and_not_at_its_end() -> None:
    period = SilencePeriod(rules("a"), 30, 330, "upgrade")
    dispatcher = Dispatcher(silences=[period])
    notified = play(dispatcher, [(0, alert("a"))], 1000)
    assert [n.at for n in notified] == [330]
    (held,) = dispatcher.take_suppressions()
    assert (held.at, held.why, held.by, held.alert.rule) == (30, "silence", "upgrade", "a")


def test_a_silence_needs_all_its_matchers() -> None:
    period = SilencePeriod(parse_matchers('rule="a", region=~"eu-1|eu-2"'), 0, FOR_EVER, "move")
    dispatcher = Dispatcher(standard_tree(by=()), silences=[period])
    sends = [(0.0, alert("a", region="eu-1")), (0.0, alert("a", region="us")), (0.0, alert("b", region="eu-1"))]
    (notified,) = play(dispatcher, sends, 30)
    assert [(a.rule, dict(a.labels)["region"]) for a in notified.firing] == [("b", "eu-1"), ("a", "us")]


def test_a_silence_can_be_added_later() -> None:
    dispatcher = Dispatcher(standard_tree(repeat_s=300))
    play(dispatcher, [(0, alert("a"))], 30)
    dispatcher.silence(SilencePeriod(rules("a"), 40, FOR_EVER, "known"))
    assert play(dispatcher, [], 5000) == []


def test_a_recovery_under_a_silence_is_not_notified() -> None:
    dispatcher = Dispatcher(silences=[SilencePeriod(rules("a"), 40, FOR_EVER, "known")])
    notified = play(dispatcher, [(0, alert("a")), (60, alert("a", 0, 60))], 5000)
    assert [n.reason for n in notified] == ["first_notification"]


def test_a_suppression_is_told_once_per_reason_and_again_when_it_begins_anew() -> None:
    silences = [SilencePeriod(rules("a"), 0, 700, "one"), SilencePeriod(rules("a"), 900, 1300, "two")]
    dispatcher = Dispatcher(silences=silences)
    play(dispatcher, [(0, alert("a"))], 2000)
    assert [(held.at, held.by) for held in dispatcher.take_suppressions()] == [(30, "one"), (930, "two")]
    assert dispatcher.take_suppressions() == []


def inhibiting(*, equal: tuple[str, ...] = ()) -> Dispatcher:
    return Dispatcher(standard_tree(by=("rule",)), inhibitions=[InhibitRule(rules("region_gone"), rules("slow"), equal)])


def test_a_firing_source_inhibits_its_target() -> None:
    dispatcher = inhibiting()
    notified = play(dispatcher, [(0, alert("region_gone")), (0, alert("slow"))], 30)
    assert [n.rules for n in notified] == [("region_gone",)]
    (held,) = dispatcher.take_suppressions()
    assert (held.why, held.by) == ("inhibition", "region_gone")


def test_a_source_that_has_ended_inhibits_no_more() -> None:
    sends = [(0, alert("region_gone")), (0, alert("slow")), (100, alert("region_gone", 0, 100))]
    notified = play(inhibiting(), sends, 330)
    assert (330, "first_notification", ["slow"], []) in told(notified)


def test_a_source_inhibits_only_targets_with_equal_labels() -> None:
    sends = [(0.0, alert("region_gone", region="eu-1")), (0.0, alert("slow", region="eu-1")), (0.0, alert("slow", region="eu-2"))]
    notified = play(inhibiting(equal=("region",)), sends, 30)
    assert [dict(a.labels)["region"] for n in notified for a in n.firing if a.rule == "slow"] == ["eu-2"]


def test_labels_missing_on_both_sides_are_equal() -> None:
    notified = play(inhibiting(equal=("region",)), [(0, alert("region_gone")), (0, alert("slow"))], 30)
    assert [n.rules for n in notified] == [("region_gone",)]


def test_a_label_missing_on_one_side_is_not_equal_to_a_value() -> None:
    sends = [(0.0, alert("region_gone")), (0.0, alert("slow", region="eu-1"))]
    assert len(play(inhibiting(equal=("region",)), sends, 30)) == 2


def test_alerts_that_match_both_sides_do_not_inhibit_each_other() -> None:
    both = InhibitRule(rules("a", "b"), rules("a", "b"))
    dispatcher = Dispatcher(inhibitions=[both])
    (notified,) = play(dispatcher, [(0, alert("a")), (0, alert("b"))], 30)
    assert [a.rule for a in notified.firing] == ["a", "b"]


def test_an_alert_that_matches_both_sides_is_inhibited_by_one_that_is_only_a_source() -> None:
    rule = InhibitRule(rules("a", "top"), rules("a"))
    (notified,) = play(Dispatcher(inhibitions=[rule]), [(0, alert("a")), (0, alert("top"))], 30)
    assert [a.rule for a in notified.firing] == ["top"]


def test_inhibition_is_named_before_hours_and_hours_before_silences() -> None:
    night = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    dispatcher = Dispatcher(
        standard_tree(by=(), ticket_hours=True),
        inhibitions=[InhibitRule(rules("a"), rules("b"))],
        silences=[SilencePeriod((), 0, FOR_EVER, "everything")],
        intervals={OFFICE_HOURS: [office_hours(UTC)]},
        wall=partial(wall_time, night),
    )
    sends = [(0.0, alert("a")), (0.0, alert("b", severity="ticket")), (0.0, alert("c", severity="ticket"))]
    assert play(dispatcher, sends, 30) == []
    held = {(h.alert.rule, h.why) for h in dispatcher.take_suppressions()}
    assert held == {("a", "silence"), ("b", "inhibition"), ("c", "active_time_interval")}


def test_a_ticket_waits_for_office_hours_and_comes_at_the_first_flush_inside() -> None:
    before_nine = datetime(2026, 3, 3, 8, 56, tzinfo=UTC)
    tree = standard_tree(ticket_hours=True)
    dispatcher = Dispatcher(tree, intervals={OFFICE_HOURS: [office_hours(UTC)]}, wall=partial(wall_time, before_nine))
    notified = play(dispatcher, [(0, alert("a", severity="ticket"))], 3600)
    assert [n.at for n in notified] == [330]


def test_hours_that_mute_hold_back_from_their_start_and_not_at_their_end() -> None:
    lunch = WeeklyHours(UTC, 12 * 60, 13 * 60)
    noon = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
    route = Route("page", mute=("lunch",))
    assert held_by_hours(route, {"lunch": [lunch]}, noon) == ("mute_time_interval", "inside lunch")
    assert held_by_hours(route, {"lunch": [lunch]}, noon.replace(hour=13)) is None
