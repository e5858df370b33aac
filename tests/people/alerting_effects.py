"""Settings of labels, routes, time intervals, inhibitions and silences, each with what it changes."""

from __future__ import annotations

from typing import Any

from tests.people.effects import Effect, Patch, monitoring, response, together

THRESHOLD = {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "20%", "window": "30s"}
TWO_RULES = together(
    monitoring(rules={"second": {**THRESHOLD, "window": "90s", "team": "shop"}}), monitoring(grouping={"interval": "1m"})
)
RECEIVERS = {"desk": {"kind": "ticket"}, "pager": {"kind": "page"}}
"""Of the day below; it starts on a Monday at 10:00 UTC, and its rules are called `errors` and `second`."""


def tree(**route: Any) -> Patch:
    """A routing tree; beside it `grouping` has its defaults, which say nothing."""
    return monitoring(
        grouping={"wait": "30s", "interval": "5m"},
        routing={"receivers": RECEIVERS, "route": {"receiver": "pager", "group_wait": "10s", **route}},
    )


def child(**route: Any) -> Patch:
    return tree(routes=[{"matchers": ['rule="errors"'], "receiver": "pager", **route}])


def hours(**interval: Any) -> Patch:
    """A day on which an interval mutes everything, unless the interval leaves this Monday morning out."""
    return together(child(mute_time_intervals=["work"]), monitoring(routing={"time_intervals": {"work": [interval]}}))


def silence(**more: Any) -> Patch:
    return monitoring(silences=[{"at": "0s", "for": "10m", "why": "t", **more}])


def inhibition(**more: Any) -> Patch:
    return monitoring(inhibitions=[more])


PAGES = ("page.sent",)
TOLD = ("alert.notified",)
TWO_IN_A_TREE = together(TWO_RULES, tree(group_interval="1m"))
REPEATED = together(response(timing={"notice": {"median": 1000, "sigma": 0.01}}), tree(group_interval="1m"))

PAST = {"starts": "2026-02-09T00:00:00+00:00", "interval": "1h", "values": [4.0, 4.1, 3.9] * 168}
"""Three weeks of a rate that is 4 a second, on the day below too."""
UNUSUAL = {"kind": "baseline", "on": "class/buy", "indicator": "request_rate", "window": "60s", "history": PAST, "deviations": 12}


def unusual(**changes: Any) -> Patch:
    return monitoring(rules={"errors": None, "unusual": {**UNUSUAL, **changes}})


def past(**changes: Any) -> Patch:
    return unusual(history={**PAST, **changes})


HOURLY = [4.0, 4.1, 3.9, 4.0] * 2 + [4.0, 40.0] + [4.0, 4.1, 3.9, 4.0] * 3 + [4.0, 4.1]
"""A day on which the eleventh hour but one, from 9 to 10, is busy; the run is from 10 to 11."""
OUT = {"schedule": {"faults": ["kill region/a at 3m for 12m"]}}
FIRED = ("alert.firing",)
SLO = {"on": "class/buy", "objective": "99%"}

CHANGE = {
    "what": "new disks",
    "target": "service/shop",
    "starts": "2026-03-02T10:00:00+00:00",
    "ends": "2026-03-02T10:15:00+00:00",
}
WORK = together(
    {"schedule": {"faults": ["errors service/shop ratio=100% at 3m"]}},
    monitoring(
        rules={
            "errors": {"on": "service/shop"},
            "other": {**THRESHOLD, "team": "shop"},
        },
        grouping={"by": ["rule"]},
    ),
)


def changes(**more: Any) -> Patch:
    return monitoring(change_calendar={"changes": [{**CHANGE, **more}]})


NOISY = monitoring(false_alarms={"per_day": 400})

NOISE: dict[str, Effect] = {
    "response.candidates": Effect(
        response(candidates=True), ("diagnosis.concluded",), response(timing={"wrong_turn": 0.9, "rounds": 3})
    ),
    "monitoring.change_calendar": Effect(changes(), ("alert.suppressed",), WORK),
    "ChangeCalendar.changes": Effect(
        monitoring(change_calendar={"changes": []}), ("alert.suppressed",), together(WORK, changes())
    ),
    "PlannedChange.target": Effect(changes(target="region/a"), ("alert.suppressed",), together(WORK, changes())),
    "PlannedChange.starts": Effect(changes(starts="2026-03-02T10:14:00+00:00"), ("alert.suppressed",), together(WORK, changes())),
    "PlannedChange.ends": Effect(changes(ends="2026-03-02T10:01:00+00:00"), ("alert.suppressed",), together(WORK, changes())),
    "FalseAlarms.flaps": Effect(monitoring(false_alarms={"flaps": 2}), ("alert.notified",), NOISY),
    "FalseAlarms.flap_every": Effect(
        monitoring(false_alarms={"flap_every": "1m"}), ("alert.notified",), monitoring(false_alarms={"per_day": 400, "flaps": 2})
    ),
    "FalseAlarms.duplicates": Effect(monitoring(false_alarms={"duplicates": "100%"}), ("page.sent",)),
}

BASELINES: dict[str, Effect] = {
    **NOISE,
    "BaselineRule.on": Effect(
        monitoring(rules={"unusual": {"on": "service/shop@b"}}),
        FIRED,
        together(
            {"schedule": {"faults": ["errors service/shop@a ratio=100% at 3m"]}}, unusual(indicator="error_ratio", deviations=3)
        ),
    ),
    "BaselineRule.indicator": Effect(monitoring(rules={"unusual": {"indicator": "latency_p95"}}), FIRED, unusual()),
    "BaselineRule.window": Effect(monitoring(rules={"unusual": {"window": "5m"}}), FIRED, together(OUT, unusual())),
    "BaselineRule.history": Effect(monitoring(rules={"unusual": {"history": {"mean": 40.0}}}), FIRED, unusual()),
    "BaselineRule.method": Effect(
        monitoring(rules={"unusual": {"method": "stl"}}), FIRED, past(values=[4.0 + 0.5 * n for n in range(24 * 7)])
    ),
    "BaselineRule.deviations": Effect(monitoring(rules={"unusual": {"deviations": 0.01}}), FIRED, unusual()),
    "BaselineRule.direction": Effect(monitoring(rules={"unusual": {"direction": "above"}}), FIRED, together(OUT, unusual())),
    "History.starts": Effect(
        monitoring(rules={"unusual": {"history": {"starts": "2026-02-09T01:00:00+00:00"}}}), FIRED, past(values=HOURLY * 9)
    ),
    "History.interval": Effect(monitoring(rules={"unusual": {"history": {"interval": "2h"}}}), FIRED, past(values=HOURLY * 9)),
    "History.mean": Effect(monitoring(rules={"unusual": {"history": {"mean": 40.0}}}), FIRED, unusual()),
    "History.values": Effect(monitoring(rules={"unusual": {"history": {"values": [40.0, 41.0] * 168}}}), FIRED, unusual()),
    "monitoring.slos": Effect(monitoring(slos={"buy": SLO}), FIRED),
    "Slo.on": Effect(
        monitoring(slos={"buy": {"on": "service/shop@b"}}),
        FIRED,
        together({"schedule": {"faults": ["errors service/shop@a ratio=100% at 3m"]}}, monitoring(slos={"buy": SLO})),
    ),
    "Slo.objective": Effect(monitoring(slos={"buy": {"objective": "94%"}}), FIRED, monitoring(slos={"buy": SLO})),
    "Slo.period": Effect(monitoring(slos={"buy": {"period": "120d"}}), FIRED, monitoring(slos={"buy": SLO})),
    "Slo.team": Effect(monitoring(slos={"buy": {"team": "shop"}}), FIRED, monitoring(slos={"buy": SLO})),
    "Slo.labels": Effect(monitoring(slos={"buy": {"labels": {"tier": "0"}}}), FIRED, monitoring(slos={"buy": SLO})),
}

ALERTING: dict[str, Effect] = {
    **BASELINES,
    "RuleBase.labels": Effect(
        monitoring(rules={"errors": {"labels": {"tier": "0"}}}), ("alert.suppressed",), silence(matchers=['tier="0"'])
    ),
    "Silence.matchers": Effect(silence(matchers=['component="class/buy"']), PAGES, silence(matchers=['component="class/look"'])),
    "Inhibition.source_matchers": Effect(
        inhibition(source_matchers=['rule="none"'], target="second"),
        ("alert.suppressed",),
        together(TWO_RULES, inhibition(source_matchers=['rule=~"err.*"'], target="second")),
    ),
    "Inhibition.target_matchers": Effect(
        inhibition(source="errors", target_matchers=['rule="none"']),
        ("alert.suppressed",),
        together(TWO_RULES, inhibition(source="errors", target_matchers=['rule!="errors"'])),
    ),
    "monitoring.routing": Effect(tree(), TOLD),
    "Routing.receivers": Effect(monitoring(routing={"receivers": {"pager": {"kind": "none"}}}), PAGES, tree()),
    "Routing.time_intervals": Effect(
        monitoring(routing={"time_intervals": {"work": [{"weekdays": ["sunday"]}]}}), PAGES, hours(weekdays=["monday"])
    ),
    "Routing.route": Effect(tree(receiver="desk"), PAGES, tree()),
    "Receiver.kind": Effect(monitoring(routing={"receivers": {"pager": {"kind": "ticket"}}}), PAGES, tree()),
    "Receiver.team": Effect(
        monitoring(routing={"receivers": {"pager": {"team": "other"}}}),
        PAGES,
        together(
            tree(),
            response(
                teams={"other": {"members": ["bo"], "escalation": "own"}},
                escalations={"own": {"levels": [{"notify": ["person/bo"]}]}},
            ),
        ),
    ),
    "Receiver.send_resolved": Effect(
        monitoring(routing={"receivers": {"pager": {"send_resolved": False}}}), TOLD, tree(group_interval="1m")
    ),
    "Route.receiver": Effect(child(receiver="desk"), PAGES, child()),
    "Route.matchers": Effect(child(receiver="desk", matchers=['rule="none"']), PAGES, child(receiver="desk")),
    "Route.continues": Effect(
        tree(
            routes=[
                {"matchers": ['rule="errors"'], "receiver": "pager", "continue": True},
                {"matchers": ['rule="errors"'], "receiver": "desk"},
            ]
        ),
        TOLD,
        tree(
            routes=[
                {"matchers": ['rule="errors"'], "receiver": "pager"},
                {"matchers": ['rule="errors"'], "receiver": "desk"},
            ]
        ),
    ),
    "Route.group_by": Effect(tree(group_interval="1m", group_by=["rule"]), TOLD, TWO_IN_A_TREE),
    "Route.group_wait": Effect(tree(group_wait="45s"), TOLD, tree()),
    "Route.group_interval": Effect(tree(group_interval="7m"), TOLD, TWO_IN_A_TREE),
    "Route.repeat_interval": Effect(tree(group_interval="1m", repeat_interval="2m"), TOLD, REPEATED),
    "Route.mute_time_intervals": Effect(child(), PAGES, hours(weekdays=["monday"])),
    "Route.active_time_intervals": Effect(
        child(active_time_intervals=["work"]), PAGES, together(hours(weekdays=["sunday"]), child())
    ),
    "Route.routes": Effect(tree(routes=[]), PAGES, child(receiver="desk")),
    "TimeInterval.times": Effect(
        hours(times=[{"start_time": "11:00", "end_time": "24:00"}]),
        PAGES,
        hours(times=[{"start_time": "10:00", "end_time": "24:00"}]),
    ),
    "TimeInterval.weekdays": Effect(hours(weekdays=["tuesday:friday"]), PAGES, hours(weekdays=["monday:friday"])),
    "TimeInterval.days_of_month": Effect(hours(days_of_month=["-3:-1"]), PAGES, hours(days_of_month=["1:7"])),
    "TimeInterval.months": Effect(hours(months=["april"]), PAGES, hours(months=["january:march"])),
    "TimeInterval.years": Effect(hours(years=["2027"]), PAGES, hours(years=["2026"])),
    "TimeInterval.location": Effect(
        hours(times=[{"start_time": "10:00", "end_time": "11:00"}], location="Asia/Tokyo"),
        PAGES,
        hours(times=[{"start_time": "10:00", "end_time": "11:00"}]),
    ),
    "Clock.start_time": Effect(
        hours(times=[{"start_time": "10:30", "end_time": "11:00"}]),
        PAGES,
        hours(times=[{"start_time": "10:00", "end_time": "11:00"}]),
    ),
    "Clock.end_time": Effect(
        hours(times=[{"start_time": "09:00", "end_time": "10:00"}]),
        PAGES,
        hours(times=[{"start_time": "09:00", "end_time": "11:00"}]),
    ),
}
