"""The contract of the ports as a suite that every system must pass, simulated or real: `check_ports_contract(make_system)`.

    def test_my_adapter_keeps_the_contract() -> None:
        assert "kill" in check_ports_contract(my_rig)

The rule that surprises: a fault that cannot be seen from outside fails it. A fault that does nothing would otherwise pass every
check of being healed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from gameday.faults import Fault, faults, injected, make
from gameday.ports import LacksCapability, capabilities_of, name_of
from gameday.selectors import Selector

EXAMPLES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "agent_freeze": ("database/example", {}),
    "bad_release": ("service/example", {"error_ratio": 0.5}),
    "capacity": ("service/example", {"share": 0.5}),
    "clock_skew": ("database/example", {"offset": 10.0}),
    "disk_full": ("database/example", {}),
    "dns_outage": ("dns", {}),
    "errors": ("service/example", {"ratio": 0.5}),
    "freeze": ("service/example", {}),
    "kill": ("service/example", {}),
    "latency": ("link/here->there", {"delay": 0.1}),
    "loss": ("link/here->there", {"ratio": 0.5}),
    "noop": ("service/example", {}),
    "outage": ("provider/example", {}),
    "partition": ("link/here->there", {}),
    "replication_stop": ("database/example", {}),
    "slow": ("service/example", {"factor": 2.0}),
}
"""A target and parameters for every kind of fault: what a system that lacks the capability is asked, and a start for rigs."""


class ContractBroken(AssertionError):  # noqa: N818 - a failed assertion of the suite
    """A system does not do what the ports promise."""


class Rig(Protocol):
    """A system under the suite, and how to look at it."""

    @property
    def system(self) -> object:
        """The system with its ports."""
        ...

    def cases(self) -> Sequence[tuple[Fault, Selector]]:
        """Faults to inject and targets for them; together they need every port the system has."""
        ...

    def settle(self) -> None:
        """Let what was done take effect: advance the clock, or wait for it with a bound."""
        ...

    def observe(self, target: Selector) -> Mapping[str, object]:
        """What an outsider sees of the target, coarse enough to be the same twice: `serving` (bool) and whatever else a fault
        of `cases` changes, e.g. `slow`, `failing`, `reachable`."""
        ...


def check_ports_contract(make_system: Callable[[], AbstractContextManager[Rig]]) -> list[str]:
    """Run the suite on one fresh system; the names of the faults that were injected. Raises ContractBroken.

    What is promised: an injected fault shows and a healed one is gone, also when the block between fails; a killed target does not
    serve and a restarted one does; overlapping injections count; a missing capability is refused by name and changes nothing.
    """
    with make_system() as rig:
        cases = list(rig.cases())
        _has_a_case_for_every_port(rig, cases)
        for fault, target in cases:
            _shows_and_heals(rig, fault, target)
            _counts(rig, fault, target)
            _heals_when_the_block_fails(rig, fault, target)
        _refuses_what_it_lacks(rig, cases)
    return [fault.name for fault, _ in cases]


def _has_a_case_for_every_port(rig: Rig, cases: Sequence[tuple[Fault, Selector]]) -> None:
    needed = {port for fault, target in cases for port in fault.needs(target)}
    for port in capabilities_of(rig.system):
        _promise(port in needed, f"no case of the rig needs {port.__name__}, which {name_of(rig.system)} has")


def _shows_and_heals(rig: Rig, fault: Fault, target: Selector) -> None:
    before = _look(rig, target)
    fault.inject(rig.system, target)
    during = _look(rig, target)
    if fault.needs(target):
        _promise(during != before, f"{_words(fault, target)} does not show: {before}")
    else:
        _promise(during == before, f"{_words(fault, target)} needs nothing and changed {before} to {during}")
    if fault.name in ("kill", "freeze"):
        _promise(during["serving"] is False, f"after {_words(fault, target)} it still serves")
    fault.heal(rig.system, target)
    after = _look(rig, target)
    _promise(after == before, f"{_words(fault, target)} is healed, and {before} has become {after}")
    if fault.name in ("kill", "freeze"):
        _promise(after["serving"] is True, f"after {_words(fault, target)} is healed it does not serve")


def _counts(rig: Rig, fault: Fault, target: Selector) -> None:
    before = _look(rig, target)
    fault.inject(rig.system, target)
    once = _look(rig, target)
    fault.inject(rig.system, target)
    _look(rig, target)
    fault.heal(rig.system, target)
    left = _look(rig, target)
    _promise(left == once, f"{_words(fault, target)} twice, healed once: {once} was to be left, and {left} is")
    fault.heal(rig.system, target)
    after = _look(rig, target)
    _promise(after == before, f"{_words(fault, target)} twice, healed twice: {before} has become {after}")


def _heals_when_the_block_fails(rig: Rig, fault: Fault, target: Selector) -> None:
    before = _look(rig, target)
    try:
        with injected(fault, rig.system, target):
            raise _Interruption  # noqa: TRY301 - it must come from inside the block
    except _Interruption:
        pass
    after = _look(rig, target)
    _promise(after == before, f"{_words(fault, target)} was not healed when its block failed: {before} has become {after}")


def _refuses_what_it_lacks(rig: Rig, cases: Sequence[tuple[Fault, Selector]]) -> None:
    looked_at = cases[0][1] if cases else None
    before = _look(rig, looked_at) if looked_at is not None else {}
    has = capabilities_of(rig.system)
    for name in faults():
        written, parameters = EXAMPLES[name]
        target, fault = Selector.parse(written), make(name, parameters)
        lacking = [port for port in fault.needs(target) if port not in has]
        if lacking:
            _refuses(rig, fault, target, lacking[0].__name__)
    if looked_at is not None:
        _promise(_look(rig, looked_at) == before, "a refused fault changed something")


def _refuses(rig: Rig, fault: Fault, target: Selector, capability: str) -> None:
    refusal = ""
    try:
        fault.inject(rig.system, target)
    except LacksCapability as error:
        refusal = str(error)
    _promise(bool(refusal), f"{fault.name} needs {capability}, which {name_of(rig.system)} lacks, and was not refused")
    named = capability in refusal and name_of(rig.system) in refusal
    _promise(named, f"the refusal of {fault.name} does not name {capability} and the system: {refusal}")


class _Interruption(Exception):  # noqa: N818 - it stands for any exception
    """What goes wrong inside a block."""


def _look(rig: Rig, target: Selector) -> Mapping[str, object]:
    rig.settle()
    return dict(rig.observe(target))


def _words(fault: Fault, target: Selector) -> str:
    return f"{fault.name} on {target}"


def _promise(kept: bool, message: str) -> None:
    if not kept:
        raise ContractBroken(message)
