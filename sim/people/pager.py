"""Pages: from a notification through the escalation policy to somebody who acknowledges, or to nobody.

The rule that surprises: a page is about a group of alerts. While it is open, further notifications of the group call nobody again;
they only remind those who were called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gameday.contacts import DELIVERY_S, GOALERT, SendingLimits
from gameday.escalation import Call, Decision, Directory, Escalated, EscalationMachine, GaveUp
from sim.people.cast import Cast
from sim.processes import Process, Steps
from sim.world import World


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
    called: set[str] = field(default_factory=set)
    """Who has been sent it."""
    watch: int = 0
    """Number of the process that follows its policy; an acknowledgement moves what is due and starts another."""


class Pager:
    """The paging service."""

    def __init__(self, world: World, cast: Cast) -> None:
        self._world = world
        self._cast = cast
        self._directory = Directory(world.scenario.response, world.scenario.starts)
        self._limits = SendingLimits(GOALERT if cast.response.pager_limits == "goalert" else {})
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
        machine = EscalationMachine(
            found[1], self._directory.resolve, name, lambda now: self._directory.urgent_from(team, rules, now)
        )
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
        page.watch += 1
        mine = page.watch
        if page.machine.state == "new":
            self._carry_out(page, page.machine.start(env.now))
        while not page.closed and (due := page.machine.next_at()) is not None:
            yield env.timeout(max(0.0, due - env.now))
            if page.closed or page.watch != mine:
                return
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
                    self._world.env.process(self._call(page, person, decision))
            else:
                assert isinstance(decision, GaveUp), "there are three decisions"
                text = f"{page.name} is given up at level {decision.level}: {decision.why}"
                self._world.record("note", page.subject, text=text)

    def _call(self, page: Page, person: str, call: Call) -> Process:
        """One person is called, in one way after the other, until they notice or the page needs them no more."""
        world, cast, data = self._world, self._cast, {"page": page.name, "person": person}
        member, called_at = cast.members[person], world.env.now
        member.paged_at = called_at if member.paged_at is None else member.paged_at
        contacts = cast.response.people[person].contacts if call.urgency == "high" else cast.response.people[person].contacts[:1]
        sent = False
        for contact in contacts:
            yield world.env.timeout(max(0.0, called_at + contact.after - world.env.now))
            # Whoever waits for the same instant is sent first come, first served: the others wait on.
            while (free_at := self._limits.free_at(person, contact.by, world.env.now)) > world.env.now:
                text = f"{page.name} waits {free_at - world.env.now:.0f} s for {person}: the pager sends no more by {contact.by}"
                world.record("note", page.subject, text=text)
                yield world.env.timeout(free_at - world.env.now)
                if not self._needs(page, call):
                    break
            if not self._needs(page, call):
                break
            self._limits.sent(person, contact.by, world.env.now)
            page.called.add(person)
            if not sent:
                cast.paged(person, page.rules)
                level, rules = call.level, list(page.rules)
                world.record(
                    "page.sent", page.subject, **data, level=level, channel=contact.by, urgency=call.urgency, rules=rules
                )
                sent = True
            else:
                world.record("page.repeated", page.subject, **data, channel=contact.by)
            yield world.env.timeout(DELIVERY_S[contact.by])
            world.record("page.delivered", page.subject, **data)
            if (yield from self._noticed(page, person, call, called_at)):
                return
        if sent:
            why = "asleep" if cast.asleep(person) else "not noticed"
            world.record("page.missed", page.subject, **data, why=why)
        else:
            text = f"{page.name} does not reach {person}: the pager had sent too much, and then the page had gone on"
            world.record("note", page.subject, text=text)

    @staticmethod
    def _needs(page: Page, call: Call) -> bool:
        """Whether a page still waits for those whom a call is for."""
        return not page.closed and page.machine.state == "waiting" and page.machine.calls == call.number

    def _open_for(self, person: str) -> int:
        """Pages that were sent to somebody and wait for an answer, also those they have not noticed."""
        return sum(person in page.called and not page.closed and page.machine.state == "waiting" for page in self.pages.values())

    def _noticed(self, page: Page, person: str, call: Call, called_at: float) -> Steps[bool]:
        """Whether one message is noticed; then the page is acknowledged if it still needs somebody. What has no sound wakes nobody."""
        world, cast = self._world, self._cast
        cast.members[person].open_pages = self._open_for(person)
        heeded = cast.chance(person, "heeds") < cast.fatigue(person)
        noticed = cast.notices(person) and heeded and not (call.urgency == "low" and cast.asleep(person))
        delay = cast.notice_s(person)
        if noticed:
            yield world.env.timeout(delay)
            cast.wake(person)
        if noticed and not page.closed and page.machine.acknowledge(world.env.now, person):
            data = {"page": page.name, "person": person}
            world.record("page.acknowledged", page.subject, **data, after_s=world.env.now - called_at)
            self.on_acknowledged(page, person)
            if page.machine.next_at() is not None:
                world.env.process(self._escalate(page))
        return noticed
