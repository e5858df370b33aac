"""What people do to the system of a live day with their own hands: `gameday steer PERSON ACTION [TARGET]`.

The rule that surprises: nothing is done that the target gives no hands for, and what is refused says why. What is changed and would outlast the
day is kept for whoever heals, before it is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from experiments.adapters.envoy import Envoy
from experiments.adapters.patroni import switchover, the_primary
from experiments.calls import call
from experiments.observe.database_moves import DatabaseMoves
from experiments.observe.decisions import Decisions
from experiments.observe.notebook import Notebook
from experiments.observe.region_failover import RegionFailover
from experiments.put_back import keep
from gameday.errors import GamedayError, nearest
from gameday.scenario.model import Scenario
from gameday.target import Target

REFUSED: Final[Mapping[str, str]] = {
    "scale_out": "a target has the instances that it has; add one by your own means and say so (gameday say)",
    "rollback": "a target has no releases that gameday could take back",
    "restart": "what a fault has stopped is started when the fault ends, or by you where you always start it",
    "shed": "admission limits are the system's own (the lab's: PUT /control at an instance)",
}
"""Actions of simulated people that nobody can do here, and why."""


class Refused(GamedayError):  # noqa: N818 - it reads as a sentence
    """An action cannot be done."""


class Steering:
    """The actions, each with the record of who did what."""

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        notebook: Notebook,
        live: Path,
        failover: RegionFailover,
        decisions: Decisions,
        databases: DatabaseMoves,
    ) -> None:
        """`live`: the folder that holds what has to be put back."""
        self._scenario, self._target, self._notebook, self._live = scenario, target, notebook, live
        self._failover, self._decisions, self._databases = failover, decisions, databases
        self._actions: dict[str, Callable[[str, str], str]] = {
            "approve": lambda person, subject: self._say(person, subject, approved=True),
            "reject": lambda person, subject: self._say(person, subject, approved=False),
            "failover": self._fail_over,
            "promote": self._promote,
            "drain": self._drain,
            "undrain": self._undrain,
            "disable_feature": lambda person, what: self._switch(person, what, off=True),
            "enable_feature": lambda person, what: self._switch(person, what, off=False),
        }

    def act(self, person: str, action: str, target: str) -> str:
        """Do it; what was done. Refused with the reason when it cannot be."""
        if person not in self._scenario.response.people:
            raise Refused(f"'{person}' is not in the cast: {', '.join(self._scenario.response.people)}")
        if action in REFUSED:
            raise Refused(f"{action}: {REFUSED[action]}")
        if action not in self._actions:
            meant = nearest(action, self._actions)
            hint = f"; did you mean '{meant}'?" if meant else ""
            raise Refused(f"nobody can '{action}'; actions are {', '.join(self._actions)}{hint}")
        return self._actions[action](person, target)

    def _say(self, person: str, subject: str, *, approved: bool) -> str:
        found = self._decisions.say(person, _region(subject) if subject else None, approved=approved)
        if isinstance(found, str):
            raise Refused(found)
        return f"{person} has {'approved' if approved else 'rejected'} the {found.what} of {found.subject}"

    def _fail_over(self, person: str, region: str) -> str:
        """As the record says it, an action of a person that the controller carries out in steps."""
        problem = self._failover.request(person, region.removeprefix("region/"))
        if problem is not None:
            raise Refused(problem)
        self._note(person, "started", "failover", _region(region))
        return f"the failover of {_region(region)} has begun"

    def _promote(self, person: str, name: str) -> str:
        """Hand the primary role of a database over, as planned work does."""
        known = self._target.databases
        name = name.removeprefix("database/")
        if name not in known:
            raise Refused(f"the target has no database '{name}': {', '.join(known) or 'none'}")

        def hand_over() -> None:
            leader = the_primary(name, known[name])
            self._databases.note(name, person)
            switchover(known[name], leader.name)

        return self._do(person, "promote", f"database/{name}", hand_over)

    def _drain(self, person: str, region: str) -> str:
        """The gateway fails its health checks, so that whoever asks them goes elsewhere."""
        admin = self._admin(region)
        keep(self._live, f"the gateway in {region}", "POST", f"{admin.rstrip('/')}/healthcheck/ok", None)
        return self._do(person, "drain", _region(region), Envoy(admin).drain)

    def _undrain(self, person: str, region: str) -> str:
        return self._do(person, "undrain", _region(region), Envoy(self._admin(region)).undrain)

    def _admin(self, region: str) -> str:
        gateway = self._target.gateways.get(region.removeprefix("region/"))
        if gateway is None or gateway.admin is None:
            raise Refused(f"the target names no administration of a gateway in '{region}'")
        return gateway.admin

    def _switch(self, person: str, what: str, *, off: bool) -> str:
        """An optional call, as the degradation policy would: `catalog -> recommendations`."""
        caller, _, called = (part.strip() for part in what.partition("->"))
        service = self._target.services.get(caller)
        feature = service.features.get(called) if service is not None else None
        if service is None or feature is None:
            known = [f"'{name} -> {each}'" for name, one in self._target.services.items() for each in one.features]
            raise Refused(f"'{what}' is no call that can be switched: {', '.join(known) or 'the target names none'}")

        def tell() -> None:
            for one in service.instances:
                if off:
                    keep(self._live, f"{called} at {one.name}", "PUT", one.url + feature.path, feature.on)
                call("PUT", one.url + feature.path, feature.off if off else feature.on)

        return self._do(person, "disable_feature" if off else "enable_feature", f"service/{caller}", tell)

    def _do(self, person: str, action: str, target: str, act: Callable[[], None]) -> str:
        """Between its beginning and its end on the record."""
        self._note(person, "started", action, target)
        try:
            act()
        except GamedayError as error:
            self._note(person, "failed", action, target, str(error))
            raise Refused(f"{action} {target} failed: {error}") from error
        self._note(person, "succeeded", action, target)
        return f"{action} {target} is done"

    def _note(self, person: str, state: str, action: str, target: str, why: str = "") -> None:
        about: dict[str, Any] = {"action": action, "target": target, "by": person, "why": why or "by hand"}
        self._notebook.say(f"action.{state}", target, about, source="human")


def _region(text: str) -> str:
    return f"region/{text.removeprefix('region/')}"
