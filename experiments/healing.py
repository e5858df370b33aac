"""Healing by the plan on disk: what the guardian does when the controller died, and `gameday heal` after a crash of everything.

The rule that surprises: it goes on after a failure. One fault that cannot be taken away must not keep the others in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.inventory import Inventory
from experiments.put_back import put_back
from experiments.rollbacks import RollbackPlan, Undo, one_healer
from experiments.session import RUN, SCENARIO, TARGET, Session
from experiments.system import LiveSystem, live_system
from gameday.errors import GamedayError
from gameday.scenario import read_played
from gameday.selectors import Selector
from gameday.target import read_target


class Healer:
    """One plan and the system it is about; made ahead, so that healing itself takes no time."""

    def __init__(self, plan_file: Path) -> None:
        """Reads the plan, the scenario and the target. BadInput with what is wrong in them."""
        self._file = plan_file
        plan = RollbackPlan.read(plan_file)
        inventory = Inventory(read_played(plan.scenario), read_target(plan.target))
        self._system: LiveSystem = live_system(inventory)
        self._configuration = {TARGET: plan.target, SCENARIO: plan.scenario, RUN: ""}
        if any(each.live for each in plan.faults):
            import chaoslib.activity  # noqa: F401 - ahead of need

    def open(self) -> list[Undo]:
        """What is, or may be, in place now."""
        return RollbackPlan.read(self._file).open()

    def heal(self) -> tuple[list[Undo], list[str]]:
        """Take away everything that is in place: what was healed, and what could not be, with the reason."""
        healed, failures = [], []
        with one_healer(self._file):
            plan = RollbackPlan.read(self._file)
            for undo in plan.open():
                try:
                    self._undo(undo)
                    plan.mark(undo.index, "healed")
                except Exception as error:  # noqa: BLE001 - the next fault has to be healed too
                    failures.append(f"{undo.fault} {undo.pinned or undo.selector}: {error}")
                else:
                    healed.append(undo)
            failures += put_back(self._file.parent)
        return healed, failures

    def _undo(self, undo: Undo) -> None:
        if undo.live is None:
            Session.fault(undo).heal(self._system, Selector.parse(str(undo.pinned)))
            return
        from chaoslib.activity import run_activity
        from chaoslib.exceptions import ChaosException

        activity: dict[str, Any] = {"type": "action", "name": f"heal-{undo.index}", "provider": undo.live["rollback"]}
        try:
            run_activity(activity, self._configuration, {})
        except ChaosException as error:
            raise GamedayError(str(error)) from error
