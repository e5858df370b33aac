"""The way back of a region on a live day: wait until the home is stable and its copies are fresh, ask, go back; as in the simulation.

The rule that surprises: it is looked for at every probe, also while somebody is asked. When the home fails again the request is withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from experiments.observe.database_moves import DatabaseMoves
from experiments.observe.decisions import Decisions, Request
from experiments.observe.notebook import Notebook
from gameday.scenario.model import Scenario
from gameday.timeline import JSON, Source

CONTROLLER: Final = "failback controller"


@dataclass(slots=True, eq=False)
class Away:
    """One failover: the region that was left, and what has been done."""

    home: str
    name: str
    """How the record calls it: `eu-1->eu-2`."""
    promoted: list[str] = field(default_factory=list)
    """Databases whose primary went with it."""
    request: Request | None = None
    """The failback that waits for approval."""
    settled: bool = False
    """Whether nothing is asked any more: it was rejected, or is under way."""


class WayBack:
    """Brings regions home."""

    def __init__(
        self,
        scenario: Scenario,
        notebook: Notebook,
        decisions: Decisions,
        databases: DatabaseMoves,
        move: Callable[[Away], str | None],
    ) -> None:
        """`move` changes the record back."""
        self._policy, self._notebook = scenario.policies.failover.failback, notebook
        self._decisions, self._databases, self._move = decisions, databases, move
        self._well_since: dict[str, float | None] = {}

    def saw(self, home: str, asked: float, *, answered: bool) -> None:
        """A probe of a home came back."""
        since = self._well_since.get(home)
        self._well_since[home] = (asked if since is None else since) if answered else None

    def look(self, away: Away, now: float) -> None:
        """Ask for the way back once it is safe, or withdraw what was asked."""
        if not self._policy.enabled or away.settled:
            return
        waiting = away.request
        if waiting is not None:
            if self._well_since.get(away.home) is None and self._decisions.withdraw(waiting):
                away.request = None
            return
        figures = self._figures(away, now)
        if figures is None:
            return
        self._say("failback.requested", away, {"by": CONTROLLER, **figures})
        if self._policy.approval is None:
            away.settled = True
            self._go_back(away, CONTROLLER, None)
            return
        said = Request(
            "failback", f"region/{away.home}", self._policy.approval, then=lambda request: self._answered(away, request)
        )
        away.request = self._decisions.ask(said)

    def _answered(self, away: Away, request: Request) -> None:
        away.request, away.settled = None, True
        figures = self._figures(away, self._notebook.clock.now())
        if not request.approved:
            about: dict[str, JSON] = {"decision": "failback", "by": request.by, "why": f"asked as {request.role}"}
            self._notebook.say("decision.rejected", f"region/{away.home}", about, source="human")
            return
        self._say("failback.approved", away, {"by": request.by, "role": request.role, **(figures or {})}, "human")
        if figures is None:
            away.settled = False  # it failed in the very moment: the next request needs a word of its own
            return
        self._go_back(away, request.by, request.role)

    def _go_back(self, away: Away, by: str, role: str | None) -> None:
        """Databases first, then traffic, as it went away."""
        figures = self._figures(away, self._notebook.clock.now()) or {}
        problems = (self._databases.move(name, away.home, away.name) for name in self._databases.away_from(away.home))
        problem = next((each for each in problems if each is not None), None) or self._move(away)
        if problem is not None:
            self._say("failover.failed", away, {"step": "failback", "why": problem})
            away.settled = False
            return
        self._say("failback.completed", away, {"by": by, **({"role": role} if role else {}), **figures})

    def _figures(self, away: Away, now: float) -> dict[str, JSON] | None:
        """How long the home has been well and how far its copies are behind; None while that is not enough."""
        since = self._well_since.get(away.home)
        lags = [self._databases.lag_s(name, away.home) for name in self._databases.away_from(away.home)]
        known = [lag for lag in lags if lag is not None]
        if since is None or len(known) < len(lags):
            return None
        stable_s, lag_s = now - since, max(known, default=0.0)
        fresh = not known or lag_s < self._policy.lag_below
        return {"lag_s": lag_s, "stable_s": stable_s} if fresh and stable_s >= self._policy.stable_for else None

    def _say(self, kind: str, away: Away, data: Mapping[str, JSON], source: Source = "live") -> None:
        self._notebook.say(kind, f"region/{away.home}", {"failover": away.name, **data}, source=source)
