"""The contract suite of the ports on live systems: what the simulated system promises, a real one keeps."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from days import ROOT, wait_until
from fake_lab import REGIONS, FakeLab, fake_lab, free_port, write_scenario

from experiments.calls import call, status_of
from experiments.inventory import Inventory
from experiments.names import resolves
from experiments.proofs import prove
from experiments.safety.lever import Lever
from experiments.safety.preflight import preflight
from experiments.system import LiveSystem, live_system
from experiments.throttle import stopped_ratio
from gameday.faults import Fault, make
from gameday.port_contract import check_ports_contract
from gameday.ports import LacksCapability
from gameday.scenario import read_scenario
from gameday.selectors import Selector
from gameday.target import Target, read_target

TARGET = Selector.parse("service/shop@a")


class SupervisedRig:
    """Processes behind a supervisor, looked at by HTTP."""

    def __init__(self, lab: FakeLab, system: LiveSystem) -> None:
        self.lab, self._system = lab, system

    @property
    def system(self) -> object:
        return self._system

    def cases(self) -> list[tuple[Fault, Selector]]:
        faults = [make("kill"), make("freeze"), make("slow", {"factor": 4.0}), make("noop")]
        return [(fault, TARGET) for fault in faults]

    def settle(self) -> None:
        """The supervisor answers when it is done."""

    def observe(self, target: Selector) -> Mapping[str, object]:
        ends = time.monotonic() + 1.0
        while status_of(self.lab.urls["a"] + "/catalog/1", 0.5) == 0 and time.monotonic() < ends:
            time.sleep(0.05)
        serving = status_of(self.lab.urls["a"] + "/catalog/1", 0.5) == 200
        return {"serving": serving, "starved": self.starved()}

    def starved(self) -> bool:
        """Whether the kernel has the process stopped at many of some looks."""
        try:
            return stopped_ratio(self.lab.children["shop-a"].pid, 60, 0.0053) > 0.3
        except ProcessLookupError:
            return True


def test_processes_behind_a_supervisor_keep_the_contract(tmp_path: Path) -> None:
    @contextmanager
    def rig() -> Iterator[SupervisedRig]:
        with fake_lab(tmp_path) as lab:
            inventory = Inventory(read_scenario(write_scenario(tmp_path)), read_target(lab.target_file))
            yield SupervisedRig(lab, live_system(inventory))

    assert check_ports_contract(rig) == ["kill", "freeze", "slow", "noop"]


def test_a_share_of_the_processor_is_proven_by_the_kernel_and_counts_against_the_blast(tmp_path: Path) -> None:
    fault = make("slow", {"factor": 4.0})
    with fake_lab(tmp_path) as lab:
        day = write_scenario(tmp_path, fault="slow service/shop factor=4 at 5s for 5s")
        inventory = Inventory(read_scenario(day), read_target(lab.target_file))
        found = {each.name: each for each in preflight(inventory, None, Lever(tmp_path / "state"))}
        assert found["fault 0: slow service/shop"].words.endswith("shop-a, shop-b")
        assert not found["not too much of service/shop is hit"].passed
        lab.gives_shares = False
        found = {each.name: each for each in preflight(inventory, None, Lever(tmp_path / "state"))}
        assert not found["fault 0: slow service/shop"].passed, "a supervisor that gives no shares would be asked in vain"
        lab.gives_shares = True
        system = live_system(inventory)
        lab.lies = True
        fault.inject(system, TARGET)
        assert not prove(inventory, fault, TARGET, 0.0).holds, "who says that it was done has shown nothing"
        lab.lies = False
        fault.inject(system, TARGET)
        proof = prove(inventory, make("slow", {"factor": 16.0}), TARGET)
        assert proof.holds, "twice four times"
        assert proof.words.startswith("shop-a was waiting 9"), proof.words
        fault.heal(live_system(inventory), TARGET)
        assert not prove(inventory, fault, TARGET, 0.0).holds, "who heals after a crash has slowed nothing, and heals all of it"


class RelayedRig:
    """A shop behind the lab's relay and name server, looked at through both."""

    def __init__(self, system: LiveSystem, relay: str, resolver: str) -> None:
        self._system, self.relay, self.resolver = system, relay, resolver

    @property
    def system(self) -> object:
        return self._system

    def cases(self) -> list[tuple[Fault, Selector]]:
        link = Selector.parse("link/internet->a")
        slow = (make("slow", {"factor": 4.0}), Selector.parse("provider/payments"))
        return [
            (make("partition"), link),
            (make("latency", {"delay": 0.3}), link),
            slow,
            (make("dns_outage"), Selector.parse("dns")),
        ]

    def settle(self) -> None:
        """The relay and the name server answer when they are done."""

    def observe(self, target: Selector) -> Mapping[str, object]:
        if target.kind == "dns":
            return {"serving": resolves(self.resolver, "shop.lab")}
        began = time.monotonic()
        reached = status_of(self.relay + "/catalog/1", 3.0) == 200
        return {"serving": reached, "slow": reached and time.monotonic() - began >= 0.3}


@contextmanager
def relayed(folder: Path) -> Iterator[RelayedRig]:
    """The lab's relay in front of the fake shop, and the lab's name server, each a process."""
    ports = [free_port() for _ in range(5)]
    api, listen, control, names = (f"127.0.0.1:{port}" for port in ports[:4])
    with fake_lab(folder) as lab:
        link = {"name": "shop@users", "listen": listen, "upstream": lab.urls["a"].removeprefix("http://")}
        records = {"shop.lab": {"addresses": {"a": "127.0.41.1"}, "ttl": 1}}
        configurations = {
            "relay": {"host": "127.0.0.1", "port": ports[0], "links": [link]},
            "dns": {"host": "127.0.0.1", "port": ports[2], "dns_port": ports[3], "records": records},
        }
        running = []
        for name, content in configurations.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
            command = [sys.executable, "-m", f"experiments.lab.services.{name}", str(folder / f"{name}.json")]
            running.append(subprocess.Popen(command, cwd=ROOT))
        relay = {"api": f"http://{api}", "proxies": ["shop@users"]}
        lab.write_target(
            supervisor=None,
            links={"users->a": {"toxiproxy": relay}},
            providers={"payments": {"toxiproxy": relay}},
            dns={"control": f"http://{control}"},
            public={"name": "shop.lab", "resolver": names},
        )
        scenario = write_scenario(folder)
        text = scenario.read_text().replace(
            "load:\n", "  providers: {payments: {service_time: constant 100ms, timeout: 2s}}\nload:\n", 1
        )
        scenario.write_text(text.replace("boot: 500ms}", "boot: 500ms, calls: [{to: provider/payments, timeout: 1s}]}"))
        target: Target = read_target(lab.target_file)
        try:
            assert wait_until(lambda: status_of(f"http://{api}/proxies") == 200 and resolves(names, "shop.lab"), 60)
            yield RelayedRig(live_system(Inventory(read_scenario(scenario), target)), f"http://{listen}", names)
        finally:
            for one in running:
                one.kill()
                one.wait(10)


def test_relays_and_names_keep_the_contract(tmp_path: Path) -> None:
    pytest.importorskip("dnslib", reason="needs the lab extra")
    pytest.importorskip("aiohttp", reason="needs the lab extra")
    assert check_ports_contract(lambda: relayed(tmp_path)) == ["partition", "latency", "slow", "dns_outage"]


def test_loss_of_packets_is_refused_before_the_day_with_the_reason_and_what_to_use(tmp_path: Path) -> None:
    with fake_lab(tmp_path) as lab:
        relay = {"api": "http://127.0.0.1:1", "proxies": ["shop@users"]}
        lab.write_target(links={"users->a": {"toxiproxy": relay}})
        day = write_scenario(tmp_path, fault="loss link/internet->a ratio=10% at 5s for 5s")
        inventory = Inventory(read_scenario(day), read_target(lab.target_file))
        (check,) = (one for one in preflight(inventory, None, Lever(tmp_path / "state")) if one.name.startswith("fault 0"))
        with pytest.raises(LacksCapability) as refusal:
            make("loss", {"ratio": 0.1}).inject(live_system(inventory), Selector.parse("link/internet->a"))
    assert not check.passed
    assert check.words == str(refusal.value), "before the day and in it, the same words"
    assert "lacks: a relay carries connections" in check.words
    assert "use latency" in check.words


class BoundedRig:
    """Instances that are told on how many requests they may work at once, looked at through what they say."""

    def __init__(self, system: LiveSystem, urls: list[str]) -> None:
        self._system, self.urls = system, urls

    @property
    def system(self) -> object:
        return self._system

    def cases(self) -> list[tuple[Fault, Selector]]:
        return [(make("capacity", {"share": 0.25}), TARGET), (make("noop"), TARGET)]

    def settle(self) -> None:
        """An instance answers when it is done."""

    def observe(self, target: Selector) -> Mapping[str, object]:
        return {str(number): call("GET", f"{url}/control")["slots"] for number, url in enumerate(self.urls)}


@contextmanager
def bounded(folder: Path, slots: int) -> Iterator[BoundedRig]:
    """Two of the lab's services, one a region, each a process."""
    running, urls = [], []
    with fake_lab(folder) as lab:
        for region in REGIONS:
            port = free_port()
            content = {"name": f"recommendations-{region}", "host": "127.0.0.1", "port": port, "region": region}
            (folder / f"{region}.json").write_text(json.dumps(content))
            command = [sys.executable, "-m", "experiments.lab.services.recommendations", str(folder / f"{region}.json")]
            running.append(subprocess.Popen(command, cwd=ROOT))
            urls.append(f"http://127.0.0.1:{port}")
        instances = [
            {"name": f"shop-{region}", "zone": f"{region}1", "region": region, "url": url}
            for region, url in zip(REGIONS, urls, strict=True)
        ]
        hands = {"path": "/control", "field": "slots"}
        lab.write_target(supervisor=None, services={"shop": {"instances": instances, "slots": hands}})
        try:
            assert wait_until(lambda: all(status_of(f"{url}/control") == 200 for url in urls), 60)
            for url in urls:
                call("PUT", f"{url}/control", {"slots": slots})
            scenario = read_scenario(write_scenario(folder))
            yield BoundedRig(live_system(Inventory(scenario, read_target(lab.target_file))), urls)
        finally:
            for one in running:
                one.kill()
                one.wait(10)


def test_instances_that_are_told_their_slots_keep_the_contract(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp", reason="needs the lab extra")
    assert check_ports_contract(lambda: bounded(tmp_path, 64)) == ["capacity", "noop"]


def test_shares_of_slots_combine_and_are_proven_by_the_instances(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp", reason="needs the lab extra")
    with bounded(tmp_path, 64) as rig:
        fault, system = make("capacity", {"share": 0.5}), rig.system
        inventory = rig._system.inventory
        assert not prove(inventory, fault, TARGET, 0.0).holds
        fault.inject(system, TARGET)
        assert prove(inventory, fault, TARGET).words == "32 of 64 slots"
        make("capacity", {"share": 0.75}).inject(system, TARGET)
        assert prove(inventory, fault, TARGET).words == "8 of 64 slots"
        fault.heal(system, TARGET)
        assert rig.observe(TARGET) == {"0": 16, "1": 64}
