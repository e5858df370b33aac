"""`rules.yml` of Prometheus: read into rules of a scenario, written from them.

The rule that surprises: the severity of a real rule is a label of the house (`critical`, `warning`, `P1`). It is kept as that label for
the routing tree, and what it means here, page or ticket, is guessed from the word and said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gameday.alerting.files import Export, Part
from gameday.alerting.files.expressions import expression_of, rule_of
from gameday.alerting.files.foreign import Foreign
from gameday.alerting.labels import BUILT_IN, alert_labels, owners
from gameday.scenario.writing import yaml_text
from gameday.units import format_duration

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.scenario.monitoring import Monitoring, Rule
    from gameday.scenario.tree import Document, Path

PAGING = frozenset({"page", "critical", "crit", "high", "emergency", "fatal", "p1", "p0", "sev1", "sev2", "error"})
"""Values of a severity label that are taken to page; all others open a ticket."""
GROUP = "gameday"


def rules_text(scenario: Scenario) -> Export:
    """The rules of a scenario as a file that `promtool check rules` accepts."""
    monitoring, owned = scenario.monitoring, owners(scenario.system)
    written: list[dict[str, Any]] = []
    notes: list[str] = []
    for name, rule in monitoring.every_rule.items():
        expression = expression_of(rule, monitoring)
        if expression is None:
            notes.append(f"rule {name}: what is usual at an hour cannot be said in PromQL; it is left out")
        else:
            written.append(_alert(name, rule, expression, owned, _subject(name, rule, monitoring)))
    for kept in monitoring.kept_rules:
        timing = {"for": kept.hold, "keep_firing_for": kept.keep_firing_for}
        more = {key: value for key, value in timing.items() if value}
        texts = {key: value for key, value in (("labels", kept.labels), ("annotations", kept.annotations)) if value}
        written.append({"record" if kept.record else "alert": kept.name, "expr": kept.expr, **more, **texts})
    group = {"name": GROUP, "interval": format_duration(monitoring.evaluation), "rules": written}
    head = f"# Rules of the game day {scenario.name}. The metrics are those of docs/how-to/import-alerting.md.\n"
    return Export(head + "".join(f"# {note}\n" for note in notes) + yaml_text({"groups": [group]}), notes)


def _subject(name: str, rule: Rule, monitoring: Monitoring) -> str:
    """What an alert is about; of a probe, the class of the requests it sends."""
    if rule.kind == "probe":
        return f"class/{monitoring.probes[rule.probe].request_class}"
    return getattr(rule, "on", f"rule/{name}")


def _alert(name: str, rule: Rule, expression: str, owned: Mapping[str, str], subject: str) -> dict[str, Any]:
    place: Any = "origin" if rule.kind == "probe" else "region"
    labels = dict(alert_labels(name, rule.severity, rule.team, subject, owners=owned, place=place, further=rule.labels))
    found: dict[str, Any] = {"alert": labels.pop("rule"), "expr": expression}
    if rule.hold:
        found["for"] = format_duration(rule.hold)
    if rule.keep_firing_for:
        found["keep_firing_for"] = format_duration(rule.keep_firing_for)
    return {**found, "labels": labels}


def rules_part(document: Document, monitoring: Mapping[str, Any]) -> Part:
    """Rules from a file of Prometheus; `monitoring` is that of the scenario they are for (may be empty). Raises BadInput."""
    foreign = Foreign(document)
    reader = _Reader(foreign, monitoring)
    for number, group in enumerate(foreign.items(("groups",), required=True)):
        path: Path = ("groups", number)
        for position, _ in enumerate(foreign.items((*path, "rules"), required=True)):
            reader.rule((*path, "rules", position))
        interval = group.get("interval") if isinstance(group, dict) else None
        if interval is not None:
            foreign.duration((*path, "interval"))
            reader.intervals.add(str(interval))
    foreign.raise_if_any()
    return reader.part()


class _Reader:
    """Reads rules one after the other."""

    def __init__(self, foreign: Foreign, monitoring: Mapping[str, Any]) -> None:
        self._foreign = foreign
        self._monitoring = monitoring
        self._rules: dict[str, Any] = {}
        self._kept: list[dict[str, Any]] = []
        self._notes: list[str] = []
        self.intervals: set[str] = set()

    def rule(self, path: Path) -> None:
        """One rule of a group."""
        foreign = self._foreign
        name, record = foreign.text((*path, "alert")), foreign.text((*path, "record"))
        expression = foreign.text((*path, "expr"), required=True)
        if (name is None) == (record is None):
            foreign.wrong(path, "needs either an 'alert' or a 'record'")
            return
        held, keeps = foreign.duration((*path, "for")), foreign.duration((*path, "keep_firing_for"))
        labels, annotations = foreign.texts((*path, "labels")), foreign.texts((*path, "annotations"))
        if expression is None:
            return
        found = None if name is None else rule_of(expression, self._monitoring)
        times = {"for": held, "keep_firing_for": keeps}
        if found is None or name is None:
            self._keep(name or str(record), expression, times, labels, annotations, record=name is None)
            return
        written = _name(name, self._rules)
        rule = {**found, "severity": _severity(labels), **{key: value for key, value in times.items() if value}}
        team = labels.pop("team", None)
        rule |= {"team": team} if team else {}
        own = {label: value for label, value in labels.items() if label not in BUILT_IN or label == "severity"}
        own |= {"rule": name} if written != name else {}
        if own.get("severity") == rule["severity"]:
            del own["severity"]
        self._rules[written] = {**rule, "labels": own} if own else rule

    def _keep(self, name: str, expression: str, times: Mapping[str, Any], labels: Any, annotations: Any, *, record: bool) -> None:
        more = {key: value for key, value in {**times, "labels": labels, "annotations": annotations}.items() if value}
        self._kept.append({"name": name, **({"record": True} if record else {}), "expr": expression, **more})
        why = "records a series" if record else "has an expression outside the indicators of a scenario"
        self._notes.append(f"{name} {why}: kept, and never fires here")

    def part(self) -> Part:
        """What was read."""
        found: dict[str, Any] = {}
        if len(self.intervals) == 1:
            found["evaluation"] = next(iter(self.intervals))
        elif self.intervals:
            self._notes.append(
                f"groups have different intervals ({', '.join(sorted(self.intervals))}): set monitoring.evaluation"
            )
        found |= {"rules": self._rules} if self._rules else {}
        found |= {"kept_rules": self._kept} if self._kept else {}
        severities = {str(rule.get("labels", {}).get("severity", "")) for rule in self._rules.values()} - {""}
        if severities:
            words = ", ".join(f"{word} = {'page' if word.lower() in PAGING else 'ticket'}" for word in sorted(severities))
            self._notes.append(
                f"severities are read as {words}; they stay labels, which need a routing tree (monitoring.routing)"
            )
        return Part({"monitoring": found}, self._notes)


def _severity(labels: Mapping[str, str]) -> str:
    return "page" if labels.get("severity", "page").lower() in PAGING else "ticket"


def _name(alert: str, taken: Mapping[str, Any]) -> str:
    """The name of an alert as a name of the scenario language, not used yet: `HighErrorRate` is `high-error-rate`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", alert).lower()
    plain = re.sub(r"[^a-z0-9_.-]+", "-", apart).strip("-_.")[:50] or "rule"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}-{number}"
    return name
