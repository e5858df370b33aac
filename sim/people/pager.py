"""Pages: from a notification through the escalation policy to somebody who acknowledges, or to nobody.

The rule that surprises: a page is about a group of alerts. While it is open, further notifications of the group call nobody again;
they only remind those who were called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gameday.escalation import Call, Decision, Directory, Escalated, EscalationMachine, GaveUp
from sim.people.cast import Cast
from sim.processes import Process
from sim.world import World

PUSH_DELAY_S = 5.0
"""From the pager to the phone. Assumption: push notifications take seconds."""


@dataclass(slots=True)
class Page:
    """One page and its way through the escalation."""

    name: str
    group: str
    rules: tuple[str, ...]
    subject: str
    machine: EscalationMachine
    first_sent: float
    closed: bool = False


class Pager:
    """The paging service."""

    def __init__(self, world: World, cast: Cast) -> None:
        self._world = world
        self._cast = cast
        self._directory = Directory(world.scenario.response, world.scenario.starts)
        self._count = 0
        self.pages: dict[str, Page] = {}
        self.on_acknowledged: Callable[[Page, str], None] = lambda _page, _person: None

    def page(self, group: str, team: str | None, rules: Sequence[str], subject: str) -> None:
        """Page a team about a group of alerts, unless a page about it is open."""
        known = self.pages.get(group)
        if known is not None and not known.closed:
            return
        found = self._directory.policy_of(team)
        if found is None:
            self._world.record("note", subject, text=f"nobody is paged: there is no escalation policy for {team or 'this alert'}")
            return
        self._count += 1
        name = f"page/{self._count}"
        machine = EscalationMachine(found[1], self._directory.resolve, name)
        page = Page(name, group, tuple(rules), subject, machine, self._world.env.now)
        self.pages[group] = page
        self._world.env.process(self._escalate(page))

    def resolved(self, group: str) -> None:
        """All alerts of the group are over: nobody else needs to be called, and the next alert is a new page."""
        page = self.pages.get(group)
        if page is not None and not page.closed:
            page.closed = True
            page.machine.end()

    def handled(self, *, everything: bool) -> None:
        """Responders are done: pages that somebody took are closed, and `everything` when the incident they are about is over.

        The next notification of a group, if its alerts go on or come again, is a new page.
        """
        for page in self.pages.values():
            if not page.closed and (everything or page.machine.state == "acknowledged"):
                page.closed = True
                page.machine.end()

    def _escalate(self, page: Page) -> Process:
        env = self._world.env
        self._carry_out(page, page.machine.start(env.now))
        while (due := page.machine.next_at()) is not None:
            yield env.timeout(max(0.0, due - env.now))
            if not page.closed:
                self._carry_out(page, page.machine.tick(env.now))

    def _carry_out(self, page: Page, decisions: list[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Escalated):
                self._world.record(
                    "page.escalated",
                    page.subject,
                    page=page.name,
                    from_level=decision.from_level,
                    to_level=decision.to_level,
                    why=decision.why,
                )
            elif isinstance(decision, Call):
                for person in decision.people:
                    self._world.env.process(self._call(page, person, decision.level))
            else:
                assert isinstance(decision, GaveUp), "there are three decisions"
                text = f"{page.name} is given up at level {decision.level}: {decision.why}"
                self._world.record("note", page.subject, text=text)

    def _call(self, page: Page, person: str, level: int) -> Process:
        """One person is called: delivered, noticed or not, acknowledged if the page still needs somebody."""
        world, cast, data = self._world, self._cast, {"page": page.name, "person": person}
        member, sent = cast.members[person], world.env.now
        member.paged_at = sent if member.paged_at is None else member.paged_at
        world.record("page.sent", page.subject, **data, level=level, channel="push", urgency="high", rules=list(page.rules))
        yield world.env.timeout(PUSH_DELAY_S)
        world.record("page.delivered", page.subject, **data)
        member.open_pages += 1
        noticed = cast.notices(person)
        delay = cast.notice_s(person)
        if noticed:
            yield world.env.timeout(delay)
            cast.wake(person)
        member.open_pages -= 1
        if not noticed:
            world.record("page.missed", page.subject, **data, why="asleep" if cast.asleep(person) else "not noticed")
        elif not page.closed and page.machine.acknowledge(world.env.now, person):
            world.record("page.acknowledged", page.subject, **data, after_s=world.env.now - sent)
            self.on_acknowledged(page, person)
