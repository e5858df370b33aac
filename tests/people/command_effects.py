"""Settings of command, inquiries, writing and archive: as in `more_effects.py`."""

from __future__ import annotations

from typing import Any

from tests.people.effects import Effect, Patch, audience, communication, faults, response, timing, together
from tests.people.small import fixed

LONG = timing(diagnose=fixed(300))
CROWD = response(people={f"p{n}": {} for n in range(4)})


def bridge(**patch: Any) -> Patch:
    return response(command={"bridge": {"join": ["p0", "p1", "p2", "p3"], **patch}})


def requests(**patch: Any) -> Patch:
    return response(command={"status_requests": patch})


def inquiries(**patch: Any) -> Patch:
    return communication(inquiries=patch)


INTERNAL = communication(audiences={"staff": {"channel": "chat", "severities": ["sev1"], "first_within": "20m"}})
ASKED = together(LONG, INTERNAL, requests(every="2m"))
ASKED_OFTEN = together(ASKED, requests(every="20s", answer=fixed(60)), audience(every="3m"))
DEPUTISED = together(
    timing(diagnose=fixed(800)),
    response(people={"dee": {}, "far": {"asleep": ["09:00", "18:00"]}}, roles={"incident_commander": ["far"], "deputy": ["dee"]}),
    timing(miss_asleep=1),
)
CROWDED = together(LONG, CROWD, bridge())
PROTOCOL = together(CROWDED, bridge(protocol=True, summary_every="3m"))
TOLD = communication(audiences={"support": {"channel": "chat", "first_within": "3m", "severities": ["sev1", "sev2", "sev3"]}})
PRESS = together(LONG, inquiries(customers=0, press_every="1m"))
CUSTOMERS = together(LONG, TOLD, inquiries(customers=0.05))
STEP = {"name": "routes", "role": "network", "takes": fixed(60)}
MOVED = together(
    faults("kill region/a at 3m for 30m"),
    {"monitoring": {"rules": {"gone": {"kind": "absence", "on": "region/a", "window": "1m", "team": "shop"}}}},
    {"policies": {"failover": {"mode": "manual", "pairs": {"a": "b"}, "failback": {"approval": "incident_commander"}}}},
    response(people={"net": {}}, roles={"network": ["net"]}, runbooks={"kill": {"action": "failover"}}),
    response(command={"failover_checklist": {"steps": [STEP]}}),
)
MEMORY = communication(written="memory")
HAND = communication(archive="by_hand")
EXECUTIVES = communication(
    audiences={"executives": {"channel": "phone", "author": "incident_commander", "severities": ["sev3"], "first_within": "1m"}},
    executives={"exposure_above": 40000},
)
PARTNER = communication(
    audiences={"partner": {"channel": "email", "severities": ["sev3"]}},
    clocks={"c": {"regime": "contract", "within": "15m", "audience": "partner"}},
)
GONE = together(faults("errors service/shop ratio=100% at 3m", "kill region/a at 5m for 20m"), audience(channel="chat"))


def checklist(**patch: Any) -> Patch:
    return response(command={"failover_checklist": patch})


ACTIONS = ("action.started", "action.succeeded")
COMMAND: dict[str, Effect] = {
    "response.command": Effect(requests(every="2m"), ("inquiry.received",), together(LONG, INTERNAL)),
    "Command.bridge": Effect(bridge(), ("decision.made",), together(LONG, CROWD)),
    "Command.status_requests": Effect(requests(every="2m"), ("inquiry.received",), together(LONG, INTERNAL)),
    "Command.rotate_after": Effect(
        response(command={"rotate_after": "3m"}),
        ("incident.role",),
        together(LONG, timing(hand_over=fixed(60)), response(roles={"incident_commander": ["ana", "bo"]})),
    ),
    "Command.failover_checklist": Effect(response(command={"failover_checklist": None}), ACTIONS, MOVED),
    "Bridge.join": Effect(bridge(join=["p0"]), ("decision.made",), CROWDED),
    "Bridge.protocol": Effect(bridge(protocol=True), ("decision.made",), CROWDED),
    "Bridge.summary_every": Effect(bridge(summary_every="1m"), ("diagnosis.concluded",), PROTOCOL),
    "Bridge.briefing": Effect(bridge(briefing=fixed(200)), ("diagnosis.concluded",), CROWDED),
    "Bridge.comment": Effect(bridge(comment=fixed(100)), ("decision.made",), CROWDED),
    "StatusRequests.every": Effect(requests(every="1m"), ("inquiry.received",), ASKED),
    "StatusRequests.answer": Effect(requests(answer=fixed(200)), ("inquiry.answered",), ASKED),
    "StatusRequests.dashboard": Effect(requests(dashboard=True), ("inquiry.received",), ASKED),
    "Command.deputy_after": Effect(response(command={"deputy_after": "10m"}), ("incident.role",), DEPUTISED),
    "Timing.brief": Effect(timing(brief=fixed(100)), ("incident.role",), DEPUTISED),
    "communication.reminders": Effect(communication(reminders="people"), ("message.drafted",), ASKED_OFTEN),
    "Step.name": Effect(checklist(steps=[{**STEP, "name": "edge"}]), ACTIONS, MOVED),
    "Step.role": Effect(checklist(steps=[{**STEP, "role": "legal"}]), ACTIONS, MOVED),
    "Step.takes": Effect(checklist(steps=[{**STEP, "takes": fixed(100)}]), ACTIONS, MOVED),
    "Checklist.steps": Effect(checklist(steps=[STEP, {**STEP, "name": "edge"}]), ACTIONS, MOVED),
    "Checklist.written": Effect(
        checklist(written=False), ACTIONS, together(MOVED, checklist(steps=[STEP, {**STEP, "name": "record", "role": "legal"}]))
    ),
    "Checklist.verify": Effect(checklist(verify=fixed(300)), ACTIONS, MOVED),
    "Timing.tired_after": Effect(timing(tired_after="1s"), ("diagnosis.concluded",), timing(wrong_turn=0.6), seeds=8),
    "Timing.hand_over": Effect(
        timing(hand_over=fixed(100)),
        ("incident.role",),
        together(LONG, response(roles={"incident_commander": ["ana", "bo"]}, command={"rotate_after": "3m"})),
    ),
    "communication.written": Effect(MEMORY, ("message.drafted",), seeds=8),
    "communication.inquiries": Effect(inquiries(customers=0.05), ("inquiry.received",), LONG),
    "communication.archive": Effect(HAND, ("message.archived",)),
    "communication.copying": Effect(communication(copying=fixed(200)), ("message.archived",), together(LONG, HAND)),
    "communication.chat_location": Effect(communication(chat_location="region/a"), ("message.published",), GONE),
    "Inquiries.customers": Effect(inquiries(customers=0.2), ("inquiry.received",), CUSTOMERS),
    "Inquiries.support": Effect(inquiries(support="memory"), ("inquiry.answered",), CUSTOMERS, seeds=4),
    "Inquiries.press_every": Effect(inquiries(press_every="3m"), ("inquiry.received",), PRESS),
    "Inquiries.press": Effect(inquiries(press="anyone"), ("inquiry.answered",), PRESS),
    "Inquiries.answer": Effect(inquiries(answer=fixed(30)), ("inquiry.answered",), CUSTOMERS),
    "Executive.expected_duration": Effect(
        communication(executives={"expected_duration": "98m"}), ("message.published",), together(LONG, EXECUTIVES)
    ),
    "RegulatoryClock.asks": Effect(communication(clocks={"c": {"asks": True}}), ("message.published",), PARTNER),
}
"""Each on the small day of `small.py`."""
