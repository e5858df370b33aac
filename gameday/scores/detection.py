"""Detection: how soon somebody, or some automation that acts, knew; and how many pages were about something.

The rule that surprises: a notice before t0 counts as 0, not as a credit. Protections that tell nobody (breakers, shedding, autoscaling,
features switched off) are no notice; a failover, a promotion or a rollback by automation is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.scores.affected import component_of, concerns, hit_by
from gameday.scores.case import CUSTOMERS
from gameday.scores.kpis import format_value
from gameday.scores.model import Measure, measured, never, not_applicable, unknown
from gameday.scores.registry import Scorer, per_incident, per_run
from gameday.scores.root_cause import root_cause_rank

if TYPE_CHECKING:
    from gameday.scenario.monitoring import Monitoring, Rule
    from gameday.scores.case import Case
    from gameday.scores.incidents import Incident
    from gameday.timeline import Event

_TO_DETECT = "detection.time_to_detect"
_DAY_S: Final = 86_400.0


def time_to_fire(case: Case, incident: Incident) -> Iterator[Measure]:
    """First alert in firing about an affected or faulty component."""
    kpi = "detection.time_to_fire"
    if not case.scenario.monitoring.every_rule and not case.events("alert.firing"):
        yield not_applicable(kpi, "there are no alert rules")
        return
    if is_too_short(case, incident):
        yield not_applicable(kpi, _too_short(case, incident))
        return
    fired = case.of(incident, "alert.firing").where(lambda event: concerns(case, incident, event.subject))
    if fired:
        delay_s = max(0.0, fired[0].t - incident.t0_s)
        yield measured(kpi, delay_s, fired[0], note=f"{fired[0].data.get('rule')} fired {_after(delay_s)}")
    else:
        yield never(kpi, case.end_s - incident.t0_s, note="no alert about what was hurt fired")


def time_to_detect(case: Case, incident: Incident) -> Iterator[Measure]:
    """First notice, who gave it, and whether it was the customers."""
    if is_too_short(case, incident):
        yield not_applicable(_TO_DETECT, _too_short(case, incident))
        yield not_applicable("detection.reported_by_customer", _too_short(case, incident))
        return
    notice = first_notice(case, incident)
    asked = case.of(incident, "inquiry.received").where(lambda event: event.data.get("from") in CUSTOMERS)
    customers_first = bool(asked) and (notice is None or asked[0].t < notice.t)
    by_customer = "detection.reported_by_customer"
    if notice is None:
        yield never(_TO_DETECT, case.end_s - incident.t0_s, incident.impacts[0].started, note="nobody was told")
    else:
        delay_s = max(0.0, notice.t - incident.t0_s)
        yield measured(_TO_DETECT, delay_s, incident.impacts[0].started, notice, note=f"{_what(notice)} {_after(delay_s)}")
    if customers_first:
        yield measured(by_customer, 1.0, asked[0], note=f"customers asked {_after(max(0.0, asked[0].t - incident.t0_s))}")
    elif notice is not None:
        yield measured(by_customer, 0.0, notice, note=f"{_what(notice)} came before any customer")
    else:
        yield not_applicable(by_customer, "nobody noticed, customers neither")


def gap_to_minimum(case: Case, incident: Incident) -> Iterator[Measure]:
    """First page against the shortest delay that the configuration allows the rules that paged."""
    kpi = "detection.gap_to_minimum"
    pages = case.pages_about(incident)
    if not pages:
        yield not_applicable(kpi, "nobody was paged")
        return
    reached = _deliveries(case, incident)
    rules = {str(name) for page in pages for name in _names(page.data.get("rules"))}
    known = [rule for name, rule in case.scenario.monitoring.every_rule.items() if name in rules]
    if not known:
        yield unknown(kpi, "the pages do not name a rule of the scenario", pages[0])
    elif not reached:
        yield never(kpi, case.end_s - incident.t0_s, pages[0], note="no page reached anybody")
    else:
        least_s = min(minimum_delay_s(rule, case.scenario.monitoring) for rule in known)
        delay_s = max(0.0, reached[0].t - incident.t0_s)
        note = f"first page {_after(delay_s)}, {_seconds(least_s)} is what its rule needs"
        yield measured(kpi, max(0.0, delay_s - least_s), reached[0], note=note)


def duplicate_pages(case: Case, incident: Incident) -> Iterator[Measure]:
    """Pages beyond the first, for the person who got most."""
    pages = case.pages_about(incident)
    if not pages:
        yield not_applicable("detection.duplicate_pages", "nobody was paged")
        return
    _, most = Counter(str(page.data.get("person")) for page in pages).most_common(1)[0]
    yield measured("detection.duplicate_pages", most - 1, *pages[:5], note=f"one person got {most} pages about it")


def precision(case: Case) -> Iterator[Measure]:
    """Pages about real impact or about a component under an active fault; the others are false."""
    pages = case.pages
    false = [page for page in pages if not _is_real(case, page)]
    if pages:
        note = f"{len(pages) - len(false)} of {len(pages)} pages were about something"
        yield measured("detection.precision", 1 - len(false) / len(pages), *false[:5], note=note)
    else:
        yield not_applicable("detection.precision", "nobody was paged")
    if case.judged_s > 0:
        per_day = len(false) / case.judged_s * _DAY_S
        yield measured("detection.false_pages", per_day, *false[:5], note=f"{len(false)} in {_seconds(case.judged_s)}")
    else:
        yield unknown("detection.false_pages", "the run ended before it was to be judged")


def recall(case: Case) -> Iterator[Measure]:
    """Incidents that a machine noticed."""
    due = [incident for incident in case.incidents if not is_too_short(case, incident)]
    if not due:
        yield not_applicable("detection.recall", "no incident was long enough to be noticed")
        return
    missed = [incident for incident in due if first_notice(case, incident) is None]
    note = f"{len(due) - len(missed)} of {len(due)} incidents were noticed"
    yield measured("detection.recall", 1 - len(missed) / len(due), *(one.impacts[0].started for one in missed), note=note)


def first_notice(case: Case, incident: Incident) -> Event | None:
    """The first page that reached somebody, or act of an automation, about an incident."""
    acts = case.of(incident, "failover.triggered", "action.started", "decision.made").where(
        lambda event: not case.is_person(event.data.get("by")) and not _is_way_back(event)
    )
    found = [*_deliveries(case, incident)[:1], *acts[:1]]
    return min(found, key=lambda event: event.t, default=None)


def is_too_short(case: Case, incident: Incident) -> bool:
    """Whether users were well again before the fastest page rule could have paged, and nobody was told."""
    rules = [rule for rule in case.scenario.monitoring.every_rule.values() if rule.severity == "page"]
    if not rules or incident.end_s is None:
        return False
    least_s = min(minimum_delay_s(rule, case.scenario.monitoring) for rule in rules)
    return incident.duration_s(case.end_s) < least_s and first_notice(case, incident) is None


def minimum_delay_s(rule: Rule, monitoring: Monitoring) -> float:
    """Delay of a rule in a total outage: scrape, evaluation, what its condition needs, `for` rounded up, group wait.

    Prometheus evaluates `for` at its evaluations only, so it is rounded up to them (rules/alerting.go). A watchdog is neither
    scraped nor grouped.
    """
    held_s = math.ceil(rule.hold / monitoring.evaluation - 1e-9) * monitoring.evaluation if monitoring.evaluation else rule.hold
    base_s = monitoring.scrape + monitoring.evaluation + held_s + monitoring.grouping.wait
    match rule.kind:
        case "heartbeat":
            return rule.interval + rule.hold
        case "probe":
            probe = monitoring.probes.get(rule.probe)
            return base_s + ((rule.failures - 1) * probe.interval if probe else 0.0)
        case "burn_rate":
            return base_s + min(1.0, rule.burn * (1 - rule.objective)) * rule.long
        case "absence" | "backlog":
            return base_s + rule.window
        case "threshold" | "baseline":
            return base_s


def _deliveries(case: Case, incident: Incident) -> list[Event]:
    """Pages about an incident as they reached people; an acknowledgement shows that one did."""
    keys = {(str(page.data.get("page")), page.data.get("person")) for page in case.pages_about(incident)}
    arrived = case.events("page.delivered", "page.acknowledged")
    return [one for one in arrived if (str(one.data.get("page")), one.data.get("person")) in keys]


def _is_real(case: Case, page: Event) -> bool:
    if case.incident_of(page) is not None:
        return True
    active = [fault for fault in case.faults if fault.active_in(case.alert_time(page), page.t)]
    rules = [f"rule/{name}" for name in _names(page.data.get("rules"))]
    subjects = {component_of(case.scenario, subject) for subject in (page.subject, *rules)}
    return any(subjects & hit_by(case, fault) for fault in active)


def _too_short(case: Case, incident: Incident) -> str:
    return f"users were hurt for {_seconds(incident.duration_s(case.end_s))}, less than the fastest rule needs"


def _is_way_back(event: Event) -> bool:
    """A way back is no notice, whoever begins it."""
    return "failback" in (event.data.get("decision"), event.data.get("action"))


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list | tuple) else []


def _what(notice: Event) -> str:
    if notice.kind.startswith("page."):
        return "first page"
    return f"{notice.data.get('by') or 'automation'} acted"


def _after(delay_s: float) -> str:
    return f"{_seconds(delay_s)} after impact" if delay_s > 0 else "before impact"


def _seconds(duration_s: float) -> str:
    return format_value(_TO_DETECT, duration_s)


SCORERS: Final[tuple[Scorer, ...]] = (
    per_incident(time_to_fire, "detection.time_to_fire"),
    per_incident(time_to_detect, _TO_DETECT, "detection.reported_by_customer"),
    per_incident(gap_to_minimum, "detection.gap_to_minimum"),
    per_run(precision, "detection.precision", "detection.false_pages"),
    per_run(recall, "detection.recall"),
    per_incident(duplicate_pages, "detection.duplicate_pages"),
    per_incident(root_cause_rank, "detection.root_cause_rank"),
)
