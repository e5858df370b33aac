"""Laws of the pipeline over random alerts: what may never happen, whatever comes in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gameday.alerting.alert import Alert, Notification, labels_of
from gameday.alerting.dispatch import Dispatcher
from gameday.alerting.matchers import parse_matchers
from gameday.alerting.mute import InhibitRule, SilencePeriod
from gameday.alerting.routes import standard_tree

RULES = ["a", "b", "c"]
GROUPING = standard_tree(by=("rule",), wait_s=30, interval_s=120, repeat_s=600)
HORIZON_S = 3000

Stretches = dict[str, list[tuple[int, int]]]
stretches = st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 900)), max_size=4)
firing = st.fixed_dictionaries(dict.fromkeys(RULES, stretches))
silence = st.builds(
    lambda rule, start, length: SilencePeriod(parse_matchers(f'rule="{rule}"'), start, start + length, "law"),
    st.sampled_from(RULES),
    st.integers(0, 2000),
    st.integers(1, 1500),
)


def apart(times: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches in order, those that overlap or touch an earlier one left out."""
    kept: list[tuple[int, int]] = []
    for start, length in sorted(times):
        if not kept or start > kept[-1][1]:
            kept.append((start, start + length))
    return kept


def play(dispatcher: Dispatcher, fires: Stretches) -> list[Notification]:
    sends = []
    for rule, times in fires.items():
        labels = labels_of({"rule": rule, "severity": "page"})
        for start, end in apart(times):
            sends.append((start, Alert(labels, rule, "service/shop", "page", None, 1.0, start, 1e9)))
            sends.append((end, Alert(labels, rule, "service/shop", "page", None, 1.0, start, end)))
    sends.sort(key=lambda send: send[0])
    notified: list[Notification] = []
    while True:
        flush = dispatcher.next_at()
        now = min(sends[0][0] if sends else HORIZON_S + 1, HORIZON_S + 1 if flush is None else flush)
        if now > HORIZON_S:
            return notified
        while sends and sends[0][0] == now:
            dispatcher.receive(sends.pop(0)[1], now)
        notified += dispatcher.flush(now)


def is_firing(fires: Stretches, rule: str, now: float) -> bool:
    return any(start <= now < end for start, end in apart(fires[rule]))


@given(firing)
def test_a_first_notification_is_never_sent_before_group_wait(fires: Stretches) -> None:
    for note in play(Dispatcher(GROUPING), fires):
        for alert in note.firing:
            assert note.at >= alert.starts_at
            if note.reason == "first_notification":
                assert any(note.at - start >= GROUPING.wait_s for start, _ in apart(fires[alert.rule]))


@given(firing)
def test_a_group_never_speaks_twice_within_group_interval(fires: Stretches) -> None:
    spoke: dict[str, float] = {}
    for note in play(Dispatcher(GROUPING), fires):
        last = spoke.get(note.group_key)
        # A group that vanished with its last alert starts over with group_wait.
        assert last is None or note.at - last >= GROUPING.wait_s
        if last is not None and note.reason in {"new_alerts", "all_resolved", "new_resolved", "repeat"}:
            assert note.at - last >= GROUPING.interval_s
        spoke[note.group_key] = note.at


@given(firing)
def test_what_is_notified_as_firing_fires_and_what_is_notified_as_resolved_does_not(fires: Stretches) -> None:
    for note in play(Dispatcher(GROUPING), fires):
        assert all(is_firing(fires, alert.rule, note.at) for alert in note.firing)
        assert not any(is_firing(fires, alert.rule, note.at) for alert in note.resolved)


@given(firing)
def test_an_alert_that_lasts_beyond_wait_and_interval_is_notified_within_them(fires: Stretches) -> None:
    notified = play(Dispatcher(GROUPING), fires)
    longest = GROUPING.wait_s + GROUPING.interval_s
    for rule, times in fires.items():
        for start, end in apart(times):
            # Firing again before the recovery was told is no news; a first stretch always is.
            if start == apart(times)[0][0] and end - start >= longest:
                assert any(start <= n.at <= start + longest for n in notified if rule in n.rules)


@given(firing, st.lists(silence, max_size=4))
def test_a_silenced_alert_is_never_notified(fires: Stretches, silences: list[SilencePeriod]) -> None:
    for note in play(Dispatcher(GROUPING, silences=silences), fires):
        for alert in (*note.firing, *note.resolved):
            assert not any(period.mutes(alert.labels, note.at) for period in silences)


@given(firing, st.lists(silence, max_size=4))
def test_every_suppression_by_silence_is_one(fires: Stretches, silences: list[SilencePeriod]) -> None:
    dispatcher = Dispatcher(GROUPING, silences=silences)
    play(dispatcher, fires)
    for held in dispatcher.take_suppressions():
        assert held.why == "silence"
        assert any(period.mutes(held.alert.labels, held.at) for period in silences)
        assert is_firing(fires, held.alert.rule, held.at)


@given(firing)
def test_an_inhibited_alert_is_never_notified_while_its_source_fires(fires: Stretches) -> None:
    rule = InhibitRule(parse_matchers('rule="a"'), parse_matchers('rule="b"'))
    for note in play(Dispatcher(GROUPING, inhibitions=[rule]), fires):
        assert not (is_firing(fires, "a", note.at) and "b" in note.rules)
