"""The contract suite of the ports, on the fake system; and proof that it notices a system that breaks a promise.

Other systems call `check_ports_contract` from their own tests, with a rig of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

import pytest

from gameday.faults import Fault, faults, make
from gameday.port_contract import EXAMPLES, ContractBroken, check_ports_contract
from gameday.ports import PORTS
from gameday.selectors import Selector
from gameday.testing import FakeSystem, system_without


class FakeRig:
    """The fake system, looked at from outside."""

    def __init__(self, system: FakeSystem, names: Sequence[str]) -> None:
        self.fake = system
        self.names = names

    @property
    def system(self) -> object:
        return self.fake

    def cases(self) -> list[tuple[Fault, Selector]]:
        return [(make(name, EXAMPLES[name][1]), Selector.parse(EXAMPLES[name][0])) for name in self.names]

    def settle(self) -> None:
        """The fake is always settled."""

    def observe(self, target: Selector) -> Mapping[str, object]:
        effects = [effect for effect in self.fake.in_effect if f" {target}" in effect]
        return {"serving": self.fake.serving(target), "effects": effects}


def rig(
    make_system: Callable[[], FakeSystem] = FakeSystem, without: Sequence[str] = ()
) -> Callable[[], AbstractContextManager[FakeRig]]:
    @contextmanager
    def made() -> Iterator[FakeRig]:
        yield FakeRig(make_system(), [name for name in EXAMPLES if name not in without])

    return made


def test_the_fake_system_keeps_the_contract() -> None:
    assert check_ports_contract(rig()) == list(faults())


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_a_system_that_lacks_a_port_keeps_the_contract_by_refusing(port: type) -> None:
    without = [name for name in EXAMPLES if port in make(name, EXAMPLES[name][1]).needs(Selector.parse(EXAMPLES[name][0]))]
    tried = check_ports_contract(rig(lambda: system_without(port), without))
    assert set(tried) == set(EXAMPLES) - set(without)


class Deaf(FakeSystem):
    def slow(self, target: Selector, factor: float) -> None:
        """Changes nothing."""

    def unslow(self, target: Selector, factor: float) -> None:
        """Changes nothing."""


class Forgetful(FakeSystem):
    def restart(self, target: Selector) -> None:
        """Stays dead."""


class Flat(FakeSystem):
    """Does not count: the first undo ends everything."""

    def cut(self, target: Selector) -> None:
        if f"cut {target}" not in self.in_effect:
            super().cut(target)

    def mend(self, target: Selector) -> None:
        if f"cut {target}" in self.in_effect:
            super().mend(target)


class Immortal(FakeSystem):
    def serving(self, target: Selector) -> bool:
        return True


@pytest.mark.parametrize(
    ("system", "message"),
    [
        (Deaf, "slow on service/example does not show"),
        (Forgetful, "kill on service/example is healed, and"),
        (Flat, "partition on link/here->there twice, healed once"),
        (Immortal, "after freeze on service/example it still serves"),
    ],
)
def test_a_system_that_breaks_a_promise_is_found_out(system: type[FakeSystem], message: str) -> None:
    with pytest.raises(ContractBroken, match=message):
        check_ports_contract(rig(system))


def test_a_port_that_no_case_tries_is_found_out() -> None:
    with pytest.raises(ContractBroken, match="no case of the rig needs Clocked, which the fake system has"):
        check_ports_contract(rig(without=["clock_skew"]))


def test_a_refused_fault_must_change_nothing() -> None:
    class Hasty(FakeSystem):
        @property
        def name(self) -> str:  # type: ignore[override]
            self._do("touched", Selector.parse("database/example"))  # what the suite looks at: the target of its first case
            return "the hasty system"

    lacking = type("Hasty", (Hasty,), {"skew_clock": None, "correct_clock": None})
    with pytest.raises(ContractBroken, match="a refused fault changed something"):
        check_ports_contract(rig(lacking, without=["clock_skew"]))


def test_the_ports_of_a_fault_are_ports() -> None:
    assert {port for fault in faults().values() for port in fault.ports} == set(PORTS)
