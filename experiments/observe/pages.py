"""Pages of a live day: the scenario's escalation policies, driven by the wall clock.

The rule that surprises: nobody is simulated. Unless real people acknowledge (`--hands-on`, `gameday ack`, a PagerDuty client), pages
go through all levels and are given up, and that is what the record says.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.observe.notebook import Notebook
from gameday.escalation import Call, Decision, Directory, Escalated, EscalationMachine
from gameday.scenario.model import Scenario


@dataclass(slots=True)
class Page:
    """One page on its way."""

    name: str
    group: str
    rules: tuple[str, ...]
    subject: str
    machine: EscalationMachine
    sent: dict[str, float]
    evaluator: str | None = None
    closed: bool = False


class Pages:
    """The paging service; safe to be used from several threads."""

    def __init__(self, scenario: Scenario, notebook: Notebook) -> None:
        self._notebook = notebook
        self._directory = Directory(scenario.response, scenario.starts)
        self._lock = threading.RLock()
        self._by_group: dict[str, Page] = {}
        self._count = 0

    def page(self, group: str, team: str | None, rules: Sequence[str], subject: str, evaluator: str | None = None) -> str | None:
        """Page a team about a group of alerts, unless a page about it is open; the page's name. `evaluator`: who found the alerts."""
        with self._lock:
            known = self._by_group.get(group)
            if known is not None and not known.closed:
                return known.name
            found = self._directory.policy_of(team)
            if found is None:
                text = f"nobody is paged: there is no escalation policy for {team or 'this alert'}"
                self._notebook.say("note", subject, {"text": text})
                return None
            self._count += 1
            name = f"page/{self._count}"
            machine = EscalationMachine(found[1], self._directory.resolve, name)
            page = self._by_group[group] = Page(name, group, tuple(rules), subject, machine, {}, evaluator)
            self._carry_out(page, machine.start(self._notebook.clock.now()))
            return name

    def resolved(self, group: str) -> None:
        """All alerts of the group are over."""
        with self._lock:
            page = self._by_group.get(group)
            if page is not None and not page.closed:
                page.closed = True
                page.machine.end()

    def acknowledge(self, person: str, page_name: str | None = None) -> str | None:
        """A person takes a page, the newest open one they were called about where none is named; its name, or None."""
        now = self._notebook.clock.now()
        with self._lock:
            for page in reversed(self._by_group.values()):
                wanted = page_name in (None, page.name, page.group)
                if wanted and person in page.sent and not page.closed and page.machine.acknowledge(now, person):
                    data = {"page": page.name, "person": person, "after_s": now - page.sent[person]}
                    self._notebook.say("page.acknowledged", page.subject, data, source="human")
                    return page.name
        return None

    def tick(self) -> None:
        """Go on where nobody answered in time."""
        now = self._notebook.clock.now()
        with self._lock:
            for page in self._by_group.values():
                if not page.closed:
                    self._carry_out(page, page.machine.tick(now))

    def open(self) -> list[Page]:
        """Pages that nobody has taken yet."""
        with self._lock:
            return [page for page in self._by_group.values() if not page.closed and page.machine.state == "waiting"]

    def _carry_out(self, page: Page, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Escalated):
                data = {"page": page.name, "from_level": decision.from_level, "to_level": decision.to_level, "why": decision.why}
                self._notebook.say("page.escalated", page.subject, data)
            elif isinstance(decision, Call):
                for person in decision.people:
                    self._call(page, person, decision.level)
            else:
                text = f"{page.name} is given up at level {decision.level}: {decision.why}"
                self._notebook.say("note", page.subject, {"text": text})

    def _call(self, page: Page, person: str, level: int) -> None:
        """The page is at hand at once: who responds for real sees it in `gameday ack`, or in a client of the receivers."""
        now = self._notebook.clock.now()
        page.sent.setdefault(person, now)
        about = {"page": page.name, "person": person}
        how = {"level": level, "channel": "gameday", "urgency": "high", "rules": list(page.rules)}
        how |= {"evaluator": page.evaluator} if page.evaluator else {}
        self._notebook.say("page.sent", page.subject, {**about, **how}, at=now)
        self._notebook.say("page.delivered", page.subject, about, at=now)
