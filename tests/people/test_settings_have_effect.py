"""Every setting of monitoring, response and communication changes what happens, in the place where it says it does.

The table below names every field of the three models. For each there are two days that differ in this field alone, and kinds of event that
must differ between them; a field that is added without an entry fails the first test.
"""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import BaseModel

from gameday.scenario.communication import Communication
from gameday.scenario.monitoring import Monitoring
from gameday.scenario.response import Response
from tests.people.alerting_effects import ALERTING, TWO_RULES
from tests.people.command_effects import COMMAND
from tests.people.effects import Effect, audience, communication, faults, monitoring, response, rules, timing, together
from tests.people.more_effects import MORE_EFFECTS, MORE_WITHOUT_MECHANISM
from tests.people.small import fixed, play
from tests.people.status_effects import STATUS

NIGHT = {"starts": "2026-03-02T02:00:00+00:00"}
OUTAGE = faults("kill region/a at 3m for 12m")
BURN = {"kind": "burn_rate", "on": "class/buy", "objective": "99%", "burn": 10, "long": "5m", "short": "1m"}
PART = faults("errors service/shop ratio=20% at 3m")
PROBE = {"class": "buy", "interval": "20s", "timeout": "2s"}
PROBED = monitoring(probes={"p": PROBE}, rules={"errors": None, "p": {"kind": "probe", "probe": "p", "failures": 2}})
THRESHOLD = {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "20%", "window": "30s"}
RATE = {"kind": "threshold", "on": "class/buy", "indicator": "request_rate", "below": "3/s", "window": "30s"}
ABSENT = {"kind": "absence", "on": "region/a", "window": "1m"}
LONG_QUEUE = {
    "system": {"services": {"shop": {"slots": 1, "service_time": "constant 100ms", "queue": 5000, "timeout": "600s"}}},
    "load": {"classes": {"buy": {"rate": [{"shape": "spike", "base": "4/s", "peak": "60/s", "at": "3m", "for": "10m"}]}}},
    "schedule": {"faults": ["noop service/shop at 1s for 1s"]},
}
BACKLOG = {"kind": "backlog", "on": "service/shop", "above": 50, "window": "1m"}
BEAT = together(OUTAGE, monitoring(location="region/a", rules={"errors": None, "beat": {"kind": "heartbeat", "interval": "60s"}}))
CUSTOMERS = monitoring(
    rules={"errors": None},
    customer_reports={"enabled": True, "affected_requests": 50, "needed": 3, "window": "15m", "delay": "1m"},
)
ROTA = response(
    rotas={"shop": {"people": ["ana", "bo"], "shift": "1d", "starts": "2026-03-01T00:00:00"}},
    escalations={"default": {"levels": [{"notify": ["rota/shop"], "after": "5m"}]}},
)
UNHEARD = together(timing(miss=1), response(escalations={"default": {"repeat": 0}}))
PAGE_WAITS = timing(notice=fixed(1000))
SPLIT = response(people={"ana": {"timezone": "America/New_York"}})
CLOCK = communication(clocks={"c": {"regime": "NIS2", "within": "15m", "audience": "customers"}})
STATUS_IN_A = together(
    faults("errors service/shop ratio=100% at 3m", "kill region/a at 5m for 20m"),
    communication(status_page={"location": "region/a"}),
)
EXECUTIVES = communication(
    audiences={"executives": {"channel": "phone", "author": "incident_commander", "severities": ["sev3"], "first_within": "1m"}}
)
MANUAL_ROLLBACK = faults("bad_release service/shop error_ratio=100% at 3m")

EFFECTS: dict[str, Effect] = {
    **ALERTING,
    # -- monitoring
    "monitoring.location": Effect(monitoring(location="region/a"), ("alert.firing",), OUTAGE),
    "monitoring.counted_by": Effect(monitoring(counted_by="clients"), ("alert.firing",), OUTAGE),
    "monitoring.scrape": Effect(monitoring(scrape="25s"), ("alert.firing",)),
    "monitoring.evaluation": Effect(monitoring(evaluation="25s"), ("alert.firing",)),
    "monitoring.probes": Effect(
        monitoring(probes={"p": {**PROBE, "origin": "east"}}), ("alert.firing",), together(OUTAGE, PROBED)
    ),
    "monitoring.rules": Effect(monitoring(rules={"errors": None}), ("page.sent",)),
    "monitoring.grouping": Effect(monitoring(grouping={"wait": "40s"}), ("page.sent",)),
    "monitoring.silences": Effect(
        monitoring(silences=[{"rule": "errors", "at": "0s", "for": "10m", "why": "t"}]), ("page.sent", "alert.suppressed")
    ),
    "monitoring.inhibitions": Effect(
        monitoring(inhibitions=[{"source": "second", "target": "errors"}]), ("alert.suppressed",), TWO_RULES
    ),
    "monitoring.customer_reports": Effect(monitoring(customer_reports={"enabled": True}), ("inquiry.received",)),
    "monitoring.false_alarms": Effect(monitoring(false_alarms={"per_day": 200}), ("page.sent",)),
    "Probe.request_class": Effect(
        monitoring(probes={"p": {"class": "look"}}),
        ("alert.firing",),
        together(
            PROBED,
            {"load": {"classes": {"look": {"entry": "site", "rate": "4/s"}}}},
            {"system": {"services": {"site": {"instances": 1, "slots": 20, "service_time": "constant 5ms", "boot": "5s"}}}},
        ),
    ),
    "Probe.origin": Effect(monitoring(probes={"p": {"origin": "east"}}), ("alert.firing",), together(OUTAGE, PROBED)),
    "Probe.interval": Effect(monitoring(probes={"p": {"interval": "60s"}}), ("alert.firing",), PROBED),
    "Probe.timeout": Effect(monitoring(probes={"p": {"timeout": "15s"}}), ("alert.firing",), PROBED),
    "RuleBase.severity": Effect(monitoring(rules={"errors": {"severity": "ticket"}}), ("page.sent",)),
    "RuleBase.hold": Effect(monitoring(rules={"errors": {"for": "1m"}}), ("alert.firing",)),
    "RuleBase.keep_firing_for": Effect(monitoring(rules={"errors": {"keep_firing_for": "2m"}}), ("alert.resolved",)),
    "RuleBase.team": Effect(
        monitoring(rules={"errors": {"team": None}}),
        ("page.sent",),
        response(teams={"shop": {"escalation": "own"}}, escalations={"own": {"levels": [{"notify": ["person/bo"]}]}}),
    ),
    "ThresholdRule.on": Effect(
        monitoring(rules={"errors": {"on": "service/shop@b"}}),
        ("alert.firing",),
        faults("errors service/shop@a ratio=100% at 3m"),
    ),
    "ThresholdRule.indicator": Effect(
        monitoring(rules={"errors": {"indicator": "latency_p95", "above": "1s"}}), ("alert.firing",)
    ),
    "ThresholdRule.above": Effect(monitoring(rules={"errors": {"above": "90%"}}), ("alert.firing",)),
    "ThresholdRule.below": Effect(
        monitoring(rules={"rate": {"below": "1/s"}}), ("alert.firing",), together(OUTAGE, rules(rate=RATE))
    ),
    "ThresholdRule.window": Effect(monitoring(rules={"errors": {"window": "2m"}}), ("alert.firing",)),
    "BurnRateRule.on": Effect(
        monitoring(rules={"burn": {"on": "service/shop@b"}}),
        ("alert.firing",),
        together(rules(burn=BURN), faults("errors service/shop@a ratio=100% at 3m")),
    ),
    "BurnRateRule.objective": Effect(monitoring(rules={"burn": {"objective": "95%"}}), ("alert.firing",), rules(burn=BURN)),
    "BurnRateRule.burn": Effect(monitoring(rules={"burn": {"burn": 40}}), ("alert.firing",), rules(burn=BURN)),
    "BurnRateRule.long": Effect(
        monitoring(rules={"burn": {"long": "12m"}}),
        ("alert.firing",),
        together(rules(burn=BURN), faults("errors service/shop ratio=100% at 14m")),
    ),
    "BurnRateRule.short": Effect(monitoring(rules={"burn": {"short": "4m"}}), ("alert.resolved",), rules(burn=BURN)),
    "ProbeRule.probe": Effect(
        monitoring(probes={"q": {**PROBE, "origin": "east"}}, rules={"p": {"probe": "q"}}),
        ("alert.firing",),
        together(OUTAGE, PROBED),
    ),
    "ProbeRule.failures": Effect(monitoring(rules={"p": {"failures": 5}}), ("alert.firing",), PROBED),
    "AbsenceRule.on": Effect(
        monitoring(rules={"gone": {"on": "region/b"}}), ("alert.firing",), together(OUTAGE, rules(gone=ABSENT))
    ),
    "AbsenceRule.window": Effect(
        monitoring(rules={"gone": {"window": "3m"}}), ("alert.firing",), together(OUTAGE, rules(gone=ABSENT))
    ),
    "HeartbeatRule.interval": Effect(monitoring(rules={"beat": {"interval": "4m"}}), ("alert.firing",), BEAT),
    "BacklogRule.on": Effect(
        monitoring(rules={"long": {"on": "service/shop@b"}}), ("alert.firing",), together(LONG_QUEUE, rules(long=BACKLOG))
    ),
    "BacklogRule.above": Effect(
        monitoring(rules={"long": {"above": 4000}}), ("alert.firing",), together(LONG_QUEUE, rules(long=BACKLOG))
    ),
    "BacklogRule.window": Effect(
        monitoring(rules={"long": {"window": "4m"}}), ("alert.firing",), together(LONG_QUEUE, rules(long=BACKLOG))
    ),
    "Grouping.by": Effect(monitoring(grouping={"by": ["rule"]}), ("alert.notified",), TWO_RULES),
    "Grouping.wait": Effect(monitoring(grouping={"wait": "40s"}), ("page.sent",)),
    "Grouping.interval": Effect(monitoring(grouping={"interval": "4m"}), ("alert.notified",), TWO_RULES),
    "Grouping.repeat": Effect(
        monitoring(grouping={"repeat": "2m"}), ("alert.notified",), together(PAGE_WAITS, monitoring(grouping={"interval": "1m"}))
    ),
    "Silence.rule": Effect(
        monitoring(silences=[{"rule": "second", "at": "0s", "for": "10m", "why": "t"}]),
        ("alert.suppressed",),
        together(TWO_RULES, monitoring(silences=[{"rule": "errors", "at": "0s", "for": "10m", "why": "t"}])),
    ),
    "Silence.at": Effect(
        monitoring(silences=[{"rule": "errors", "at": "5m", "for": "5m", "why": "t"}]),
        ("page.sent",),
        monitoring(silences=[{"rule": "errors", "at": "0s", "for": "5m", "why": "t"}]),
    ),
    "Silence.lasts": Effect(
        monitoring(silences=[{"rule": "errors", "at": "0s", "for": "9m", "why": "t"}]),
        ("page.sent",),
        monitoring(silences=[{"rule": "errors", "at": "0s", "for": "4m", "why": "t"}]),
    ),
    "Inhibition.source": Effect(
        monitoring(inhibitions=[{"source": "errors", "target": "second"}]),
        ("alert.suppressed",),
        together(TWO_RULES, monitoring(inhibitions=[{"source": "second", "target": "errors"}])),
    ),
    "Inhibition.target": Effect(
        monitoring(inhibitions=[{"source": "errors", "target": "second"}]), ("alert.suppressed",), TWO_RULES
    ),
    "Inhibition.equal": Effect(
        monitoring(inhibitions=[{"source": "errors", "target": "second", "equal": ["team"]}]),
        ("alert.suppressed",),
        together(
            TWO_RULES,
            response(teams={"other": {"members": ["bo"]}}),
            monitoring(rules={"second": {"team": "other"}}, inhibitions=[{"source": "errors", "target": "second"}]),
        ),
    ),
    "CustomerReports.enabled": Effect(
        monitoring(customer_reports={"enabled": False}), ("inquiry.received", "page.sent"), CUSTOMERS
    ),
    "CustomerReports.affected_requests": Effect(
        monitoring(customer_reports={"affected_requests": 500}), ("inquiry.received",), CUSTOMERS
    ),
    "CustomerReports.needed": Effect(monitoring(customer_reports={"needed": 6}), ("page.sent",), CUSTOMERS),
    "CustomerReports.window": Effect(monitoring(customer_reports={"window": "10s"}), ("page.sent",), CUSTOMERS),
    "CustomerReports.delay": Effect(monitoring(customer_reports={"delay": "6m"}), ("inquiry.received",), CUSTOMERS),
    "FalseAlarms.per_day": Effect(
        monitoring(false_alarms={"per_day": 400}), ("page.sent",), monitoring(false_alarms={"per_day": 100})
    ),
    # -- response
    "response.people": Effect(
        response(people={"bo": {"knows": ["shop"]}, "ana": {"asleep": ["09:00", "18:00"]}}), ("page.acknowledged",)
    ),
    "response.teams": Effect(
        response(teams={"shop": {"members": ["bo"]}}),
        ("page.sent",),
        response(escalations={"default": {"levels": [{"notify": ["team/shop"]}]}}),
    ),
    "response.rotas": Effect(response(rotas={"shop": {"people": ["cy"]}}), ("page.sent",), ROTA),
    "response.escalations": Effect(response(escalations={"default": {"levels": [{"notify": ["person/bo"]}]}}), ("page.sent",)),
    "response.roles": Effect(response(roles={"communications": ["di"]}), ("incident.role", "message.published")),
    "response.declare_above": Effect(response(declare_above="60%"), ("incident.declared",), PART),
    "response.runbooks": Effect(response(runbooks={"errors": {"action": "wait"}}), ("decision.made",)),
    "response.timing": Effect(timing(notice=fixed(100)), ("page.acknowledged",)),
    "Person.timezone": Effect(
        response(people={"ana": {"timezone": "Pacific/Auckland", "asleep": ["23:00", "07:00"]}}), ("page.acknowledged",)
    ),
    "Person.asleep": Effect(response(people={"ana": {"asleep": ["08:00", "12:00"]}}), ("page.acknowledged",)),
    "Person.knows": Effect(
        response(people={"ana": {"knows": ["shop"]}}), ("diagnosis.concluded",), timing(wrong_turn=0.5), seeds=8
    ),
    "Team.members": Effect(
        response(teams={"shop": {"members": ["ana"]}}),
        ("page.sent",),
        response(escalations={"default": {"levels": [{"notify": ["team/shop"]}]}}),
    ),
    "Team.escalation": Effect(
        response(teams={"shop": {"escalation": "own"}}),
        ("page.sent",),
        response(escalations={"own": {"levels": [{"notify": ["person/bo"]}]}}),
    ),
    "Rota.people": Effect(response(rotas={"shop": {"people": ["bo", "ana"]}}), ("page.sent",), ROTA),
    "Rota.shift": Effect(response(rotas={"shop": {"shift": "12h"}}), ("page.sent",), ROTA),
    "Rota.starts": Effect(response(rotas={"shop": {"starts": "2026-03-02T00:00:00"}}), ("page.sent",), ROTA),
    "Escalation.levels": Effect(response(escalations={"default": {"levels": [{"notify": ["person/bo"]}]}}), ("page.sent",)),
    "Escalation.repeat": Effect(response(escalations={"default": {"repeat": 2}}), ("page.sent",), UNHEARD),
    "Level.notify": Effect(
        response(escalations={"default": {"levels": [{"notify": ["person/ana", "person/bo"]}]}}), ("page.sent",)
    ),
    "Level.after": Effect(
        response(escalations={"default": {"levels": [{"notify": ["person/ana"], "after": "1m"}, {"notify": ["person/bo"]}]}}),
        ("page.escalated",),
        PAGE_WAITS,
    ),
    "Runbook.action": Effect(response(runbooks={"errors": {"action": "scale_out"}}), ("action.started",)),
    "Runbook.minutes": Effect(response(runbooks={"errors": {"minutes": fixed(150)}}), ("action.succeeded",)),
    "Timing.notice": Effect(timing(notice=fixed(100)), ("page.acknowledged",)),
    "Timing.notice_asleep": Effect(timing(notice_asleep=fixed(100)), ("page.acknowledged",), NIGHT),
    "Timing.miss": Effect(timing(miss=1), ("page.missed",)),
    "Timing.miss_asleep": Effect(timing(miss_asleep=1), ("page.missed",), NIGHT),
    "Timing.engage": Effect(timing(engage=fixed(100)), ("responder.engaged",)),
    "Timing.engage_asleep": Effect(timing(engage_asleep=fixed(100)), ("responder.engaged",), NIGHT),
    "Timing.diagnose": Effect(timing(diagnose=fixed(240)), ("diagnosis.concluded",)),
    "Timing.wrong_turn": Effect(timing(wrong_turn=0.9), ("diagnosis.concluded",)),
    "Timing.rounds": Effect(timing(rounds=1), ("diagnosis.started", "decision.made"), timing(wrong_turn=0.6), seeds=8),
    "Timing.decide": Effect(timing(decide=fixed(100)), ("decision.made",)),
    "Timing.act": Effect(timing(act=fixed(100)), ("action.succeeded",)),
    "Timing.action_failure": Effect(timing(action_failure=1), ("action.failed",)),
    "Timing.assemble": Effect(timing(assemble=fixed(200)), ("incident.role",)),
    "Timing.sleep_inertia": Effect(timing(sleep_inertia=0.5), ("diagnosis.concluded",), NIGHT),
    "Timing.sleep_inertia_fades": Effect(timing(sleep_inertia_fades="1m"), ("diagnosis.concluded",), NIGHT),
    # -- communication
    "communication.audiences": Effect(
        communication(audiences={"support": {"channel": "chat", "first_within": "3m"}}), ("message.published",)
    ),
    "communication.draft": Effect(communication(draft=fixed(100)), ("message.drafted",)),
    "communication.approve": Effect(communication(approve=fixed(100)), ("message.approved",)),
    "communication.templates": Effect(communication(templates={"resolved": "It is over since {ended}."}), ("message.drafted",)),
    "communication.executives": Effect(communication(executives={"exposure_above": 1}), ("message.published",), EXECUTIVES),
    "communication.status_page": Effect(communication(status_page={"automatic": True}), ("message.published",)),
    "communication.clocks": Effect(CLOCK, ("clock.started",)),
    "communication.confirm_recovery": Effect(communication(confirm_recovery="5m"), ("incident.resolved",)),
    "Audience.channel": Effect(audience(channel="email"), ("message.published",)),
    "Audience.external": Effect(audience(external=False), ("message.approved",)),
    "Audience.author": Effect(audience(author="incident_commander"), ("message.drafted",)),
    "Audience.spokespersons": Effect(audience(spokespersons=["legal"]), ("message.published",)),
    "Audience.approvals": Effect(audience(approvals=["incident_commander", "legal"]), ("message.approved",)),
    "Audience.first_within": Effect(audience(first_within="2m"), ("message.drafted",)),
    "Audience.every": Effect(audience(every=None), ("message.drafted",), timing(diagnose=fixed(1200))),
    "Audience.severities": Effect(audience(severities=["sev3"]), ("message.drafted",)),
    "Executive.exposure_above": Effect(communication(executives={"exposure_above": 5000}), ("message.published",), EXECUTIVES),
    "Executive.duration_above": Effect(communication(executives={"duration_above": "5m"}), ("message.published",), EXECUTIVES),
    "StatusPage.location": Effect(communication(status_page={"location": "outside"}), ("message.published",), STATUS_IN_A),
    "StatusPage.automatic": Effect(communication(status_page={"automatic": True}), ("message.published",)),
    "StatusPage.retype": Effect(communication(status_page={"retype": fixed(200)}), ("message.published",)),
    "RegulatoryClock.regime": Effect(communication(clocks={"c": {"regime": "DORA"}}), ("clock.started",), CLOCK),
    "RegulatoryClock.anchor": Effect(communication(clocks={"c": {"anchor": "impact.started"}}), ("clock.started",), CLOCK),
    "RegulatoryClock.within": Effect(communication(clocks={"c": {"within": "3m"}}), ("clock.late",), CLOCK),
    "RegulatoryClock.audience": Effect(
        communication(clocks={"c": {"audience": "support"}}),
        ("clock.met",),
        together(CLOCK, communication(audiences={"support": {"channel": "chat"}})),
    ),
    "RegulatoryClock.when_impact_longer_than": Effect(
        communication(clocks={"c": {"when_impact_longer_than": "1h"}}), ("clock.started",), CLOCK
    ),
    "LogNormal.median": Effect(timing(notice={"median": 100}), ("page.acknowledged",)),
    "LogNormal.sigma": Effect(timing(notice={"sigma": 1.0}), ("page.acknowledged",)),
}

EFFECTS |= MORE_EFFECTS | COMMAND | STATUS

WITHOUT_MECHANISM = {
    **MORE_WITHOUT_MECHANISM,
    "Silence.why": "kept on the record of the scenario, for readers",
    "AbsenceRule.kind": "tells the kinds apart",
    "ChangeCalendar.file": "says where the changes are: tests/scenario/test_change_calendar.py",
    "PlannedChange.what": "kept on the record of the silence, for readers",
    "monitoring.kept_rules": "what cannot be evaluated: written back by `gameday export` (tests/alerting/test_files.py), like its parts",
    **{f"KeptRule.{part}": "" for part in ("name", "record", "expr", "hold", "keep_firing_for", "labels", "annotations")},
    "History.file": "says where the values are, like the four below: tests/scenario reads such files",
    "History.column": "",
    "History.start_row": "",
    "History.rows": "",
}


def fields_of(model: type[BaseModel], name: str, found: dict[str, str]) -> dict[str, str]:
    """Every field below a model: `Model.field`, with the class that defines it; the parts of a scenario by their own name."""
    for key, info in model.model_fields.items():
        if key == "kind" and len(get_args(info.annotation)) == 1:
            continue
        owner = next(each for each in reversed(model.__mro__) if key in getattr(each, "model_fields", {}))
        found.setdefault(f"{name if owner is model else owner.__name__}.{key}", key)
        for part in _models_in(info.annotation):
            if part is not model:
                fields_of(part, part.__name__, found)
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def test_every_setting_is_in_the_table() -> None:
    found: dict[str, str] = {}
    for name, model in (("monitoring", Monitoring), ("response", Response), ("communication", Communication)):
        fields_of(model, name, found)
    assert set(found) == set(EFFECTS) | {name for name in WITHOUT_MECHANISM if not name.endswith(".kind")}


@pytest.mark.parametrize("setting", EFFECTS)
def test_a_setting_changes_what_it_is_about(setting: str) -> None:
    effect = EFFECTS[setting]
    for seed in range(1, effect.seeds + 1):
        one, other = play(effect.day, seed=seed), play(effect.day, effect.change, seed=seed)
        before, after = ([(e.t, e.kind, e.subject, dict(e.data)) for e in day.of(*effect.kinds)] for day in (one, other))
        if before != after:
            return
    pytest.fail(f"{setting} changed no {' or '.join(effect.kinds)}: {before[:3]}")
