"""The agent beside a database hangs, the database does not: no lease is renewed, no role is told, and writes are acknowledged all the same."""

from __future__ import annotations

from typing import ClassVar

from gameday.faults import Fault
from gameday.ports import Steerable, require
from gameday.scenario.response import Action
from gameday.selectors import Kind, Selector


class AgentFreeze(Fault):
    """Cluster managers of database nodes hang (as Patroni under SIGSTOP); the databases under them go on."""

    name: ClassVar[str] = "agent_freeze"
    targets: ClassVar[frozenset[Kind]] = frozenset({"database", "group"})
    ports: ClassVar[tuple[type, ...]] = (Steerable,)

    def inject(self, system: object, target: Selector) -> None:
        """Freeze the agents, not the databases."""
        require(system, Steerable, self.name).freeze_agent(target)

    def heal(self, system: object, target: Selector) -> None:
        """Let them go on; each looks at once who leads now."""
        require(system, Steerable, self.name).resume_agent(target)

    def mended_by(self, target: Selector) -> Action | None:
        """A restart of the node starts its agent anew."""
        return "restart" if target.kind == "database" else None
