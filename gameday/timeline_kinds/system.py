"""The kinds of event in which the system, its faults and its automation speak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gameday.timeline_kinds.model import Key, Kind, flag_key, kind, list_key, map_key, number_key, states, text_key

_RUN = "the scenario's name"
_TARGET = "what it happens to, as the scenario selects it (`service/checkout`, `zone/eu-1a`)"
IMPACT_SUBJECT = "`class/<name>` or `class/<name>@<origin>`"
_CONCERNED = "what the alert concerns (`service/checkout`), or the rule where it concerns nothing narrower"
_FAILOVER = "what moves (`database/orders`, `region/eu-1`)"
_DATABASE = "`database/<name>`"
_STATION = "`service/<name>`"
_AT_STATION = "`service/<name>@<region>`"
_FAULT = {
    "fault": text_key("kind of the fault, such as kill"),
    "index": Key("text or number", "position in the schedule, or the id of a background fault"),
    "selector": text_key("the target as written in the scenario"),
    "parameters": map_key("the fault's parameters"),
    "origin": text_key("whether it was planned or drawn", "schedule", "background"),
    "by?": text_key("who took it away: the schedule, a person, or automation"),
}
_IMPACT_KEYS = {
    "flow": text_key("the flow of requests"),
    "good_ratio": number_key("share of good requests when it was noticed, 0 to 1"),
    "objective": number_key("the share that the objective asks for, 0 to 1"),
    "cause?": list_key("indices of the faults active at the time"),
    "worst_good_ratio?": number_key("lowest share of good requests during the impact"),
    "lost?": number_key("requests that were not good during the impact"),
}
EVALUATOR = text_key("who evaluated the rules of a live day: gameday (the project's own machines), prometheus, alertmanager")
_ALERT = {
    "rule": text_key("name of the rule"),
    "severity": text_key("severity the rule carries"),
    "value?": number_key("value of the rule's expression"),
    "labels?": map_key("labels of the alert"),
    "evaluator?": EVALUATOR,
}
_FAILBACK = {
    "failover": text_key("name of the failover policy"),
    "by": text_key("person, or automation"),
    "role?": text_key("the role in which they act"),
    "lag_s?": number_key("replication lag at the time, seconds"),
    "stable_s?": number_key("how long the original place has been healthy, seconds"),
}
_SHEDDING = {"station": text_key("the service that refuses requests")}
_SCALING = {
    "service": text_key("the service"),
    "region": text_key("where"),
    "from": number_key("instances before"),
    "to": number_key("instances after"),
    "reason?": text_key("what asked for it"),
}

SYSTEM_KINDS: Final[Mapping[str, Kind]] = {
    "run.started": kind(
        "The run begins.",
        _RUN,
        {
            "scenario": text_key("name of the scenario"),
            "seed": number_key("root of all randomness"),
            "replication": number_key("number of the replication, from 0"),
            "duration_s": number_key("planned length, seconds"),
            "people?": text_key("who responds on a live day; without it they are simulated", "real", "none"),
        },
    ),
    "run.ended": kind("The run reached its planned end.", _RUN),
    "run.aborted": kind("The run was stopped before its end.", _RUN, {"reason": text_key("why")}),
    **states("fault", _TARGET, _FAULT, {"injected": "A fault is put in place.", "healed": "A fault is taken away."}),
    "fault.proven": kind(
        "A probe has shown that the fault bites.",
        _TARGET,
        {
            "probe": text_key("what was asked, and what it answered"),
            "fault?": _FAULT["fault"],
            "index?": _FAULT["index"],
            "selector?": _FAULT["selector"],
        },
    ),
    "fault.failed": kind(
        "A fault could not be put in place or taken away.",
        _TARGET,
        {
            "fault": _FAULT["fault"],
            "index": _FAULT["index"],
            "selector": _FAULT["selector"],
            "why": text_key("the refusal, in words"),
        },
    ),
    **states(
        "maintenance", _TARGET, {"what": text_key("the work")}, {"started": "Planned work begins.", "ended": "Planned work ends."}
    ),
    **states(
        "impact",
        IMPACT_SUBJECT,
        _IMPACT_KEYS,
        {
            "started": "Ground truth: the indicator of a class of requests leaves its objective.",
            "ended": "Ground truth: the indicator has regained its objective and kept it.",
        },
    ),
    **states(
        "alert",
        _CONCERNED,
        _ALERT,
        {
            "pending": "A rule's condition holds, not yet for long enough.",
            "firing": "A rule fires.",
            "resolved": "A rule's condition no longer holds.",
        },
    ),
    "alert.notified": kind(
        "A notification leaves for a receiver.",
        _CONCERNED,
        {
            "rules": list_key("names of the rules it reports"),
            "receiver": text_key("who or what gets it"),
            "group?": Key("list or map", "labels the alerts were grouped by"),
            "evaluator?": EVALUATOR,
        },
    ),
    "alert.evidence": kind(
        "What monitoring knew when it paged: how far every component was from its usual, from its own measurements.",
        _CONCERNED,
        {
            "anomalies": map_key("component to 0 (as usual) .. 1 (nothing answers any more); what is below 0.05 is left out"),
        },
    ),
    "alert.suppressed": kind(
        "A firing alert is kept from its receiver.",
        _CONCERNED,
        {
            "rule": _ALERT["rule"],
            "why": text_key("what held it back", "silence", "inhibition", "mute_time_interval", "active_time_interval"),
            "labels?": _ALERT["labels?"],
            "evaluator?": EVALUATOR,
        },
    ),
    "failover.triggered": kind(
        "A move to another place begins.",
        _FAILOVER,
        {
            "failover": _FAILBACK["failover"],
            "why": text_key("what was seen"),
            "by": _FAILBACK["by"],
            "correct?": flag_key("whether what was seen was true (known to a simulation only)"),
        },
    ),
    "failover.step": kind(
        "One step of the move has ended.",
        _FAILOVER,
        {
            "failover": _FAILBACK["failover"],
            "step": text_key("name of the step"),
            "outcome": text_key("how it ended"),
            "took_s": number_key("its length, seconds"),
        },
    ),
    "failover.promoted": kind(
        "A replica becomes primary.",
        _FAILOVER,
        {
            "failover": _FAILBACK["failover"],
            "from": text_key("primary before"),
            "to": text_key("primary now"),
            "lag_s?": number_key("replication lag at promotion, seconds"),
            "lost_writes?": number_key("acknowledged writes that the new primary does not have"),
        },
    ),
    "failover.completed": kind(
        "Traffic is served at the new place.", _FAILOVER, {"failover": _FAILBACK["failover"], "to": text_key("the new place")}
    ),
    "failover.failed": kind(
        "The move stopped half way.",
        _FAILOVER,
        {"failover": _FAILBACK["failover"], "step": text_key("the step that failed"), "why": text_key("the reason")},
    ),
    "failover.rolled_back": kind(
        "The move was undone.", _FAILOVER, {"failover": _FAILBACK["failover"], "why": text_key("the reason")}
    ),
    **states(
        "failback",
        _FAILOVER,
        _FAILBACK,
        {
            "requested": "The return to the original place is asked for.",
            "approved": "The return is approved.",
            "completed": "The original place serves again.",
        },
    ),
    "database.role": kind(
        "A node takes a role.",
        _DATABASE,
        {"node": text_key("the node"), "role": text_key("its role from now on", "primary", "replica", "fenced", "down")},
    ),
    "database.lag": kind(
        "The replication lag of a node, when it changes by much.",
        _DATABASE,
        {"node": text_key("the node"), "lag_s": number_key("lag behind the primary, seconds")},
    ),
    "writes.summary": kind(
        "What became of the writes, counted at the end.",
        _DATABASE,
        {
            "database": text_key("name of the database"),
            "attempted": number_key("writes tried"),
            "acknowledged": number_key("writes confirmed to the client"),
            "lost": number_key("writes confirmed and gone"),
            "indeterminate": number_key("writes of which the client cannot know"),
            "conflicting": number_key("writes accepted by two primaries at once"),
            "unreconciled": number_key("conflicting or degraded writes still open"),
            "oldest_lost_s?": number_key(
                "age of the oldest lost write when its primary stopped taking writes, or at promotion, seconds; of witnesses and of the "
                "writers of a live day when the last that was lost was acknowledged"
            ),
            "surviving?": number_key("writes confirmed and still there"),
            "stale_reads?": number_key("reads answered from a copy older than promised"),
        },
    ),
    **states(
        "shedding",
        _STATION,
        _SHEDDING,
        {"started": "A service begins to refuse requests.", "ended": "It takes all requests again."},
    ),
    **states(
        "breaker",
        "the edge, `link/<caller>-><callee>`",
        {"edge": text_key("caller and callee")},
        {"opened": "A circuit breaker opens.", "closed": "A circuit breaker closes."},
    ),
    **states(
        "outlier",
        _AT_STATION,
        {"station": text_key("the service and region"), "instance": text_key("the instance")},
        {
            "ejected": "An instance has failed too often in a row and is left out of the rotation for a while.",
            "readmitted": "Its time is over: it is chosen again, whatever state it is in.",
        },
    ),
    **states(
        "panic",
        _AT_STATION,
        {"station": text_key("the service and region")},
        {
            "started": "So few instances are left in rotation that the balancer sends requests to all, healthy or not.",
            "ended": "Enough instances are in rotation again.",
        },
    ),
    **states(
        "scaling",
        _STATION,
        _SCALING,
        {"requested": "More or fewer instances are asked for.", "ready": "The instances asked for are there."},
    ),
    **states(
        "degradation",
        _STATION,
        {"feature": text_key("what is switched off"), "by": text_key("person, or automation")},
        {"started": "A feature is switched off to save the rest.", "ended": "The feature is back."},
    ),
    "dns.changed": kind(
        "A name points elsewhere.",
        "the record",
        {
            "record": text_key("the name"),
            "to": text_key("the new place"),
            "ttl_s": number_key("how long resolvers may keep the old one, seconds"),
        },
    ),
}
