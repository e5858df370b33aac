"""The contract suite of the ports on live systems: what the simulated system promises, a real one keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fake_lab import FakeLab, fake_lab, write_scenario

from experiments.calls import status_of
from experiments.inventory import Inventory
from experiments.system import LiveSystem, live_system
from gameday.faults import Fault, make
from gameday.port_contract import check_ports_contract
from gameday.scenario import read_scenario
from gameday.selectors import Selector
from gameday.target import read_target

TARGET = Selector.parse("service/shop@a")


class SupervisedRig:
    """Processes behind a supervisor, looked at by HTTP."""

    def __init__(self, lab: FakeLab, system: LiveSystem) -> None:
        self.lab, self._system = lab, system

    @property
    def system(self) -> object:
        return self._system

    def cases(self) -> list[tuple[Fault, Selector]]:
        return [(make("kill"), TARGET), (make("freeze"), TARGET), (make("noop"), TARGET)]

    def settle(self) -> None:
        """The supervisor answers when it is done."""

    def observe(self, target: Selector) -> Mapping[str, object]:
        ends = time.monotonic() + 1.0
        while status_of(self.lab.urls["a"] + "/catalog/1", 0.5) == 0 and time.monotonic() < ends:
            time.sleep(0.05)
        return {"serving": status_of(self.lab.urls["a"] + "/catalog/1", 0.5) == 200}


def test_processes_behind_a_supervisor_keep_the_contract(tmp_path: Path) -> None:
    @contextmanager
    def rig() -> Iterator[SupervisedRig]:
        with fake_lab(tmp_path) as lab:
            inventory = Inventory(read_scenario(write_scenario(tmp_path)), read_target(lab.target_file))
            yield SupervisedRig(lab, live_system(inventory))

    assert check_ports_contract(rig) == ["kill", "freeze", "noop"]
