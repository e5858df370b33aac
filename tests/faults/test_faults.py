"""Faults: each does one thing through one port and takes exactly that back."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import gameday.faults as package
from gameday.errors import BadInput
from gameday.faults import Fault, faults, injected, make
from gameday.port_contract import EXAMPLES
from gameday.ports import LacksCapability, Shapeable
from gameday.scenario.tree import Position
from gameday.selectors import KINDS, Selector
from gameday.testing import FakeSystem, system_without

FILES = sorted(Path(package.__path__[0]).glob("*.py"))
NAMES = [path.stem for path in FILES if path.stem != "__init__"]


def example(name: str) -> tuple[Fault, Selector]:
    target, parameters = EXAMPLES[name]
    return make(name, parameters), Selector.parse(target)


def test_every_file_is_a_fault_and_every_fault_has_an_example() -> None:
    assert list(faults()) == NAMES == sorted(EXAMPLES)


@pytest.mark.parametrize(
    ("line", "calls"),
    [
        ("agent_freeze", ["freeze_agent database/example", "resume_agent database/example"]),
        ("bad_release", ["ship service/example 0.5 1", "roll_back service/example 0.5 1"]),
        ("capacity", ["saturate service/example 0.5", "release service/example 0.5"]),
        ("clock_skew", ["skew_clock database/example 10", "correct_clock database/example 10"]),
        ("disk_full", ["fill_disk database/example", "free_disk database/example"]),
        ("dns_outage", ["break_dns dns 1", "mend_dns dns 1"]),
        ("errors", ["fail service/example 0.5", "recover service/example 0.5"]),
        ("freeze", ["freeze service/example", "resume service/example"]),
        ("kill", ["kill service/example", "restart service/example"]),
        ("latency", ["shape link/here->there 0.1 0", "unshape link/here->there 0.1 0"]),
        ("loss", ["shape link/here->there 0 0.5", "unshape link/here->there 0 0.5"]),
        ("noop", []),
        ("outage", ["kill provider/example", "restart provider/example"]),
        ("partition", ["cut link/here->there", "mend link/here->there"]),
        ("replication_stop", ["stop_replication database/example", "start_replication database/example"]),
        ("slow", ["slow service/example 2", "unslow service/example 2"]),
    ],
)
def test_a_fault_does_one_thing_and_takes_it_back(line: str, calls: list[str]) -> None:
    system = FakeSystem()
    fault, target = example(line)

    with injected(fault, system, target):
        pass

    assert list(map(str, system.calls)) == calls
    assert system.in_effect == []


def test_a_dependency_in_an_outage_is_cut_not_killed() -> None:
    system = FakeSystem()
    target = Selector.parse("dependency/web->provider/cards")
    with injected(make("outage"), system, target):
        assert system.in_effect == ["cut dependency/web->provider/cards"]


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_healed_when_its_block_fails(name: str) -> None:
    system = FakeSystem()
    fault, target = example(name)
    with pytest.raises(RuntimeError, match="in the block"), injected(fault, system, target):
        raise RuntimeError("in the block")
    assert system.in_effect == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "noop"])
def test_a_system_that_lacks_the_capability_refuses_by_name(name: str) -> None:
    fault, target = example(name)
    system = system_without(*fault.needs(target))

    with pytest.raises(LacksCapability) as refusal:
        fault.inject(system, target)

    capability = fault.needs(target)[0].__name__
    assert str(refusal.value) == f"fault {name} needs the capability {capability}, which the fake system lacks"
    assert system.calls == []


def test_a_system_without_a_name_is_called_by_its_class() -> None:
    class Heap:
        """No port at all."""

    with pytest.raises(LacksCapability, match="fault kill needs the capability Killable, which Heap lacks"):
        make("kill").inject(Heap(), Selector.parse("service/web"))


def test_one_missing_capability_leaves_the_others() -> None:
    system = system_without(Shapeable)
    with injected(make("kill"), system, Selector.parse("service/web")):
        assert not system.serving(Selector.parse("service/web"))


@pytest.mark.parametrize(
    ("name", "target", "action"),
    [
        ("bad_release", "service/web", "rollback"),
        ("kill", "service/web", "restart"),
        ("kill", "instance/web@a/0", "restart"),
        ("kill", "database/orders/primary", "restart"),
        ("kill", "zone/a", None),
        ("kill", "region/a", None),
        ("kill", "queue/mail", None),
        ("freeze", "service/web", "restart"),
        ("freeze", "zone/a", None),
        ("errors", "service/web", "restart"),
        ("errors", "provider/cards", None),
        ("disk_full", "database/orders", "restart"),
        ("agent_freeze", "database/orders", "restart"),
        ("capacity", "service/web", None),
        ("slow", "service/web", None),
        ("partition", "link/a->b", None),
        ("outage", "provider/cards", None),
        ("dns_outage", "dns", None),
        ("replication_stop", "database/orders", None),
        ("clock_skew", "database/orders", None),
        ("latency", "link/a->b", None),
        ("loss", "link/a->b", None),
        ("noop", "service/web", None),
    ],
)
def test_what_mends_a_fault_depends_on_what_it_hit(name: str, target: str, action: str | None) -> None:
    assert make(name, EXAMPLES[name][1]).mended_by(Selector.parse(target)) == action


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        (
            "slwo",
            {},
            (
                "fault: there is no such fault; faults are agent_freeze, bad_release, capacity, clock_skew, disk_full, dns_outage, errors, "
                "freeze, kill, latency, loss, noop, outage, partition, replication_stop, slow (read 'slwo'); did you mean 'slow'?"
            ),
        ),
        ("slow", {}, "with.factor: is required"),
        ("slow", {"factor": 2, "fctor": 3}, "with.fctor: unknown key; allowed here: factor"),
        ("slow", {"factor": 1}, "with.factor: must be a number greater than 1 and at most 1000 (read '1')"),
        ("latency", {"delay": "0s"}, "with.delay: must be greater than 0s (read '0s')"),
        ("kill", {"hard": "yes"}, "with.hard: kill has no parameters"),
        ("bad_release", {}, "with: a bad release needs an error_ratio above 0 or a slowdown above 1"),
    ],
)
def test_bad_parameters_are_told_with_the_nearest_word(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as refusal:
        make(name, parameters)
    assert str(refusal.value) == message


def test_problems_stand_where_the_fault_was_written() -> None:
    with pytest.raises(BadInput) as refusal:
        make("slow", {"factor": 1, "x": 2}, Position("day.yaml", 7, 3))
    assert [str(problem).split(" ")[0] for problem in refusal.value.problems] == ["day.yaml:7:3:", "day.yaml:7:3:"]


@pytest.mark.parametrize(
    ("name", "value", "delay"), [("latency", "200ms", 0.2), ("latency", 0.2, 0.2), ("clock_skew", "1m", 60.0)]
)
def test_parameters_are_read_as_text_or_as_numbers_in_base_units(name: str, value: object, delay: float) -> None:
    field = "delay" if name == "latency" else "offset"
    assert getattr(make(name, {field: value}), field) == delay


@pytest.mark.parametrize("name", NAMES)
def test_parameters_in_words_make_the_same_fault_again(name: str) -> None:
    fault, _ = example(name)
    assert make(name, fault.parameters_in_words()) == fault


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_says_what_it_can_hit_and_what_it_is(name: str) -> None:
    fault = faults()[name]
    assert fault.targets <= set(KINDS)
    assert Selector.parse(EXAMPLES[name][0]).kind in fault.targets
    assert fault.__doc__
    assert all(info.description for info in fault.model_fields.values())


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_no_fault_has_a_clock_a_sleep_or_a_random_number(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"time", "datetime", "random", "secrets", "asyncio", "threading", "numpy", "simpy"}


def test_an_undo_without_its_do_is_refused_by_the_fake() -> None:
    with pytest.raises(AssertionError, match="restart undoes 'kill service/web', which is not in effect"):
        make("kill").heal(FakeSystem(), Selector.parse("service/web"))
