"""The kinds of event in which people speak: pages, decisions, actions, messages, inquiries, clocks and costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gameday.timeline_kinds.model import Key, Kind, flag_key, kind, list_key, number_key, states, text_key

_TARGET = "what it happens to, as the scenario selects it (`service/checkout`, `zone/eu-1a`)"
_PAGE = "what the person is called about: the incident, or the alert where none is declared yet"
_INCIDENT = "the incident"
_PERSON_PAGED = {"page": Key("text or number", "id of the page"), "person": text_key("who")}
_DIAGNOSIS = {
    "person": text_key("who"),
    "hypothesis?": text_key("what is believed to be the cause"),
    "correct?": flag_key("whether it is the cause (known to a simulation only)"),
}
_DECISION = {
    "decision": text_key("what is decided"),
    "by": text_key("person, or automation"),
    "why": text_key("the reason given"),
}
_ACTION = {
    "action": text_key("what is done"),
    "target": text_key("to what"),
    "by": text_key("person, or automation"),
    "why?": text_key("the reason given, or why it failed"),
}
_MESSAGE = {
    "message": Key("text or number", "id of the message"),
    "audience": text_key("whom it is for"),
    "phase": text_key("phase of the incident it speaks about"),
    "channel": text_key("where it appears"),
    "text": text_key("its words"),
    "author": text_key("who wrote it"),
    "role": text_key("the author's role"),
    "approvals?": list_key("who has approved it, in which role"),
    "claims?": Key("list or map", "the facts it states, for comparison with the truth"),
}
_INQUIRY = {
    "from": text_key("who asks (an audience)"),
    "inquiry?": Key("text or number", "id of the inquiry"),
    "channel?": text_key("where it arrives"),
    "question?": text_key("what is asked"),
    "answer?": text_key("what is answered"),
    "by?": text_key("who answers"),
    "after_s?": number_key("seconds between question and answer"),
}
_CLOCK = {
    "clock": text_key("name of the clock"),
    "regime": text_key("the law or contract it belongs to"),
    "anchor": Key("text or number", "the event from which it runs"),
    "due_s": number_key("when it is due, seconds from the start of the run"),
    "margin_s?": number_key("time left when it was met; negative when late, seconds"),
}

PEOPLE_KINDS: Final[Mapping[str, Kind]] = {
    "page.sent": kind(
        "A person is called.",
        _PAGE,
        {
            **_PERSON_PAGED,
            "level": Key("text or number", "level of the escalation policy"),
            "channel": text_key("call, push, text message, ..."),
            "urgency": text_key("urgency of the page"),
            "rules?": list_key("names of the alert rules it is about"),
            "evaluator?": text_key("who evaluated those rules, on a live day"),
        },
    ),
    "page.repeated": kind(
        "The same person is tried once more, in another way.",
        _PAGE,
        {**_PERSON_PAGED, "channel": text_key("call, push, text message, ...")},
    ),
    "page.delivered": kind("The page reached the person's device.", _PAGE, _PERSON_PAGED),
    "page.acknowledged": kind(
        "The person accepts the page.", _PAGE, {**_PERSON_PAGED, "after_s": number_key("seconds since it was sent")}
    ),
    "page.escalated": kind(
        "The page goes to the next level.",
        _PAGE,
        {
            "page": _PERSON_PAGED["page"],
            "from_level": Key("text or number", "level that did not answer"),
            "to_level": Key("text or number", "level called now"),
            "why": text_key("the reason"),
        },
    ),
    "page.missed": kind("The person did not react in time.", _PAGE, {**_PERSON_PAGED, "why": text_key("the reason")}),
    "responder.engaged": kind(
        "A person is at the desk and can act.",
        _INCIDENT,
        {
            "person": text_key("who"),
            "role?": text_key("in which role"),
            "after_s?": number_key("seconds since they were first paged"),
        },
    ),
    **states(
        "diagnosis",
        _INCIDENT,
        _DIAGNOSIS,
        {"started": "A person begins to test a hypothesis.", "concluded": "A person has accepted or rejected a hypothesis."},
    ),
    **states(
        "incident",
        _INCIDENT,
        {"severity": text_key("the severity"), "by": text_key("who")},
        {"declared": "An incident is declared.", "severity": "The severity is set anew."},
    ),
    "incident.classified": kind(
        "Somebody says what the law takes the incident for: major (DORA), material (SEC), reportable (NYDFS).",
        _INCIDENT,
        {"by": text_key("who"), "role": text_key("in which role"), "duties?": list_key("duties that are counted from it")},
    ),
    "incident.role": kind("A person takes a role.", _INCIDENT, {"role": text_key("the role"), "person": text_key("who")}),
    "incident.phase": kind("The incident enters a phase.", _INCIDENT, {"phase": text_key("the phase")}),
    "incident.resolved": kind("The incident is declared over.", _INCIDENT, {"by": text_key("who")}),
    **states(
        "decision",
        "what the decision is about",
        _DECISION,
        {
            "proposed": "A decision is put forward.",
            "approved": "A decision is approved.",
            "rejected": "A decision is rejected.",
            "made": "A decision is taken and holds.",
        },
    ),
    **states(
        "action",
        _TARGET,
        _ACTION,
        {
            "started": "Somebody begins to do something.",
            "succeeded": "It had its effect.",
            "failed": "It had no effect, or the wrong one.",
        },
    ),
    **states(
        "message",
        _INCIDENT,
        _MESSAGE,
        {"drafted": "A message is written.", "approved": "A message is approved.", "published": "A message is out."},
    ),
    "message.rejected": kind(
        "Whoever must approve a message sends it back.",
        _INCIDENT,
        {
            "message": _MESSAGE["message"],
            "audience": _MESSAGE["audience"],
            "by": text_key("who"),
            "why": text_key("what is wrong with it"),
        },
    ),
    "message.archived": kind(
        "A message is in the archive.",
        _INCIDENT,
        {"message": _MESSAGE["message"], "audience": _MESSAGE["audience"], "by": text_key("the tool, or who copied it")},
    ),
    "status.component": kind(
        "A component of the status page is set to a state.",
        "`status_page/<component>`",
        {
            "component": text_key("name on the page"),
            "state": text_key("operational, degraded_performance, partial_outage, major_outage, under_maintenance"),
            "by": _DECISION["by"],
        },
    ),
    "status.incident": kind(
        "The state of an incident on the status page is set.",
        _INCIDENT,
        {"state": text_key("investigating, identified, monitoring, resolved"), "by": _DECISION["by"]},
    ),
    "status.scheduled": kind(
        "The state of planned work on the status page is set.",
        "the status page",
        {"what": text_key("what is planned"), "state": text_key("scheduled, in_progress, completed"), "by": _DECISION["by"]},
    ),
    **states("inquiry", _INCIDENT, _INQUIRY, {"received": "Somebody outside asks.", "answered": "The question is answered."}),
    **states(
        "clock",
        _INCIDENT,
        _CLOCK,
        {
            "started": "A period set by law or contract begins.",
            "met": "What was due was done in time.",
            "late": "The period ended and what was due was not done.",
        },
    ),
    "cost.accrued": kind(
        "A cost arises.",
        "what costs",
        {"what": text_key("kind of cost"), "amount": number_key("how much"), "currency": text_key("ISO 4217 code")},
    ),
    **states(
        "postmortem", _INCIDENT, {}, {"drafted": "The review is written.", "published": "The review is there for all to read."}
    ),
    "note": kind("A remark, for readers only.", "what it is about, or empty", {"text": text_key("the remark")}),
}
