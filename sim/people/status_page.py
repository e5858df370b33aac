"""The status page: what it shows of components, incidents and planned work, kept by the tool or by hand.

The rule that surprises: by hand the page shows what somebody believed when they last set it. A mistake stays until somebody looks: whoever
posts next, or anybody at the desk who happens to open it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gameday.communication.status import ComponentState, IncidentState, component_state, mistaken
from gameday.scenario.communication import Phase
from gameday.scenario.schedule import Maintenance
from sim.day import Day
from sim.monitoring import OUTSIDE
from sim.people.cast import SOON, Cast
from sim.people.dashboards import Dashboards
from sim.people.incident import Incident, IncidentDesk
from sim.processes import Process, Steps

LOOK_EVERY_S = 15.0
TOOL = "status page tool"
SUBJECT = "status_page"


class PublicStatus:
    """What the public can read, apart from the messages."""

    def __init__(self, day: Day, cast: Cast, dashboards: Dashboards, desk: IncidentDesk) -> None:
        self._world = day.world
        self._cast = cast
        self._dashboards = dashboards
        self._desk = desk
        self._page = day.world.scenario.communication.status_page
        self._draws = day.world.streams.draws("status page")
        self._shown: dict[str, ComponentState] = dict.fromkeys(self._page.components, "operational")
        self._stated: tuple[str, str] | None = None
        """Incident on the page and its state."""
        self._keeper = ""
        """Who posted last."""
        if not self._page.components:
            return
        env = day.world.env
        if self._page.automatic:
            env.process(self._follow())
        else:
            env.process(self._looks())
        for planned in day.world.scenario.schedule.maintenance:
            if any(planned.target in component.maintenance for component in self._page.components.values()):
                env.process(self._announce(planned))

    def posted(self, incident: Incident, phase: Phase, person: str) -> None:
        """A message is on the page: the state of its incident goes with it, and whoever posts it sets the components."""
        if not self._page.components:
            return
        if self._page.automatic:
            self._state(incident.subject, phase, TOOL)
        else:
            self._world.env.process(self._by_hand(incident.subject, phase, person))

    # -- by the tool ------------------------------------------------------------------------------------------------------

    def _follow(self) -> Process:
        """While an incident is declared, and until all is well on the page, the components follow the dashboards."""
        while True:
            yield self._world.env.timeout(LOOK_EVERY_S)
            current = self._desk.current
            declared = current is not None and current.declared_at is not None
            if self._can_be_set() and (declared or any(state != "operational" for state in self._shown.values())):
                for name, state in self._differing():
                    self._show(name, state, TOOL)

    # -- by hand ----------------------------------------------------------------------------------------------------------

    def _by_hand(self, incident: str, phase: Phase, person: str) -> Process:
        self._keeper = person
        if phase != "resolved" or self._draws.uniform() >= self._page.forgotten:
            self._state(incident, phase, person)
        yield from self._set_right(person, self._page.forgotten)

    def _set_right(self, person: str, forgotten: float = 0.0) -> Steps[None]:
        """Go through what differs from what is believed, one after the other; to set it back may be forgotten, each may go wrong."""
        for name, state in list(self._differing()):
            if state == "operational" and self._draws.uniform() < forgotten:
                continue
            lasts_s = self._cast.draw(person, self._page.set_component, "set a component")
            yield from self._cast.attend(person, lasts_s, SOON)
            if not self._can_be_set():
                return
            if self._draws.uniform() < self._page.wrong:
                others = [other for other in self._shown if other != name]
                if others and self._draws.uniform() < 0.5:
                    self._show(others[int(self._draws.uniform() * len(others))], state, person)
                else:
                    self._show(name, mistaken(state), person)
            else:
                self._show(name, state, person)

    def _looks(self) -> Process:
        """Now and then somebody opens the page; who posted last sets right what is wrong on it, if they are awake."""
        while True:
            yield self._world.env.timeout(self._draws.exponential() * self._page.looked_at)
            if not self._keeper or self._cast.asleep(self._keeper) or not self._can_be_set():
                continue
            current = self._desk.current
            over = current is None or current.declared_at is None
            if over and self._stated is not None and self._stated[1] != "resolved":
                self._state(self._stated[0], "resolved", self._keeper)
            yield from self._set_right(self._keeper)

    # -- planned work -----------------------------------------------------------------------------------------------------

    def _announce(self, planned: Maintenance) -> Process:
        """Planned work is announced, begins, and is over; by hand its end may be forgotten until somebody looks."""
        env, by = self._world.env, TOOL if self._page.automatic else "whoever plans the work"
        self._world.record("status.scheduled", SUBJECT, what=planned.what, state="scheduled", by=by)
        yield env.timeout(max(0.0, planned.at - env.now))
        self._world.record("status.scheduled", SUBJECT, what=planned.what, state="in_progress", by=by)
        concerned = [name for name, component in self._page.components.items() if planned.target in component.maintenance]
        for name in concerned:
            self._show(name, "under_maintenance", by)
        yield env.timeout(planned.lasts)
        if not self._page.automatic and self._draws.uniform() < self._page.forgotten:
            yield env.timeout(self._draws.exponential() * self._page.looked_at)
        self._world.record("status.scheduled", SUBJECT, what=planned.what, state="completed", by=by)
        for name in concerned:
            if self._shown[name] == "under_maintenance":
                self._show(name, self._believed(name) or "operational", by)

    # -- what is believed, and shown --------------------------------------------------------------------------------------

    def _differing(self) -> Iterator[tuple[str, ComponentState]]:
        """Components that show something else than what the dashboards say."""
        for name, shown in self._shown.items():
            state = self._believed(name)
            if state is not None and state != shown:
                yield name, state

    def _believed(self, name: str) -> ComponentState | None:
        """State of a component by the dashboards, or the change calendar; None where nothing is known."""
        component, scenario = self._page.components[name], self._world.scenario
        now = self._world.env.now
        for planned in scenario.schedule.maintenance:
            if planned.target in component.maintenance and planned.at <= now < planned.at + planned.lasts:
                return "under_maintenance"
        lost = self._dashboards.lost_of(component.classes, component.region)
        if lost is None:
            return None
        return component_state(lost, {each: 1.0 - scenario.load.classes[each].indicator.good for each in component.classes})

    def _can_be_set(self) -> bool:
        return self._world.place_works(self._page.location) and self._world.reachable(self._page.location, OUTSIDE)

    def _show(self, name: str, state: ComponentState, by: str) -> None:
        if self._shown[name] != state:
            self._shown[name] = state
            self._world.record("status.component", f"{SUBJECT}/{name}", component=name, state=state, by=by)

    def _state(self, incident: str, phase: Phase, by: str) -> None:
        state: IncidentState = "investigating" if phase == "scoping" else phase
        if self._stated != (incident, state):
            self._stated = (incident, state)
            self._world.record("status.incident", incident, state=state, by=by)
