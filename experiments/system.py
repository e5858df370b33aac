"""A real system with the ports its target allows: what a fault of a scenario does when the day is live.

The rule that surprises: an undo without its do is done all the same. Whoever heals after a crash (the guardian, `gameday heal`) has done
nothing itself and knows only the plan on disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from math import sqrt

from experiments.adapters.dns_control import DnsControl
from experiments.adapters.envoy import Envoy
from experiments.adapters.supervisor import Supervisor
from experiments.adapters.toxiproxy import Toxiproxy
from experiments.calls import call
from experiments.inventory import Inventory, NotInTarget
from gameday.ports import LacksCapability
from gameday.selectors import Selector


class LiveSystem:
    """What all parts share: the inventory, and how often an effect is in place."""

    def __init__(self, inventory: Inventory) -> None:
        """Nothing is done yet."""
        self.inventory = inventory
        self.name = f"the target {inventory.target.name}"
        self._effects: Counter[Hashable] = Counter()

    def first(self, effect: Hashable) -> bool:
        """Count one effect; True for the first of its kind."""
        self._effects[effect] += 1
        return self._effects[effect] == 1

    def last(self, effect: Hashable) -> bool:
        """Take one effect away; True when none is left, or none was known."""
        self._effects[effect] = max(0, self._effects[effect] - 1)
        return self._effects[effect] == 0

    def count(self, effect: Hashable) -> int:
        """How often an effect is in place."""
        return self._effects[effect]

    @property
    def supervisor(self) -> Supervisor:
        """The target's supervisor."""
        target = self.inventory.target
        assert target.supervisor is not None, "the parts that need a supervisor are left out without one"
        return Supervisor(target.supervisor, target.token())


class KillsProcesses(LiveSystem):
    """Killable: processes by the supervisor."""

    def kill(self, target: Selector) -> None:
        """SIGKILL every process in the target."""
        for process in self.inventory.processes(target):
            if self.first(("kill", process)):
                self.supervisor.kill(process)

    def restart(self, target: Selector) -> None:
        """Start what is no longer killed; still frozen if it ought to be."""
        for process in self.inventory.processes(target):
            if self.last(("kill", process)):
                self.supervisor.restart(process)
                if self.count(("freeze", process)):
                    self.supervisor.freeze(process)


class FreezesProcesses(LiveSystem):
    """Freezable: processes by the supervisor."""

    def freeze(self, target: Selector) -> None:
        """SIGSTOP every process in the target."""
        for process in self.inventory.processes(target):
            if self.first(("freeze", process)) and not self.count(("kill", process)):
                self.supervisor.freeze(process)

    def resume(self, target: Selector) -> None:
        """SIGCONT what is no longer frozen."""
        for process in self.inventory.processes(target):
            if self.last(("freeze", process)) and not self.count(("kill", process)):
                self.supervisor.resume(process)


class CutsRelays(LiveSystem):
    """Partitionable: relays lose everything, as a network that is cut does; nobody is refused, everybody waits."""

    def cut(self, target: Selector) -> None:
        """Let nothing through."""
        for relay in self.inventory.relays(target):
            if self.first(("silence", relay)):
                Toxiproxy(relay[0]).silence(relay[1])

    def mend(self, target: Selector) -> None:
        """Let through again."""
        for relay in self.inventory.relays(target):
            if self.last(("silence", relay)):
                Toxiproxy(relay[0]).end_silence(relay[1])


NO_LOSS = (
    "Shapeable with loss: a relay carries connections, whose kernels send again what is lost, so it has no packets to lose; "
    "use latency (a lost segment costs 200 ms or more), partition, or live: with your own tc netem"
)
"""Why nothing is lost, and what to use. A delay drawn for each segment would be the formula of RFC 6298 and no loss: windows would not shrink."""


class ShapesRelays(LiveSystem):
    """Shapeable: delay in relays. A relay carries connections, not packets, so it can lose none."""

    def shape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Delay what goes through."""
        if loss_ratio:
            raise LacksCapability(self.name, NO_LOSS, "loss")
        for api, proxy in self.inventory.relays(target):
            Toxiproxy(api).add_latency(proxy, latency_s)

    def unshape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Take the delay away."""
        del loss_ratio
        for api, proxy in self.inventory.relays(target):
            Toxiproxy(api).remove_latency(proxy, latency_s)


class SlowsWork(LiveSystem):
    """Slowable: a service gets 1 / factor of the processor; a provider's answers are late by what its own work would have taken longer.

    `factor` multiplies the provider's service time as the scenario states it: the relay adds (factor - 1) times its mean, and scatters that
    evenly with (factor - 1) times its standard deviation, as far as that leaves no time below zero.
    """

    def slow(self, target: Selector, factor: float) -> None:
        """Saturate the processor of the service, or delay the provider."""
        if target.kind == "provider":
            for api, proxy in self.inventory.relays(target):
                Toxiproxy(api).add_latency(proxy, self._added_s(target, factor), self._jitter_s(target, factor))
            return
        for process in self._busy(target):
            self._effects["slow", process, factor] += 1
            self._throttle(process)

    def unslow(self, target: Selector, factor: float) -> None:
        """Take it away."""
        if target.kind == "provider":
            for api, proxy in self.inventory.relays(target):
                Toxiproxy(api).remove_latency(proxy, self._added_s(target, factor))
            return
        for process in self._busy(target):
            self.last(("slow", process, factor))
            self._throttle(process)

    def _busy(self, target: Selector) -> tuple[str, ...]:
        if self.inventory.target.supervisor is None:
            raise LacksCapability(self.name, f"Slowable for {target} (a supervisor that gives shares of the processor)", "slow")
        return self.inventory.throttled(target)

    def _throttle(self, process: str) -> None:
        """Factors multiply, so shares do."""
        share = 1.0
        for effect, count in self._effects.items():
            if isinstance(effect, tuple) and effect[:2] == ("slow", process):
                share /= float(effect[2]) ** count
        self.supervisor.throttle(process, share)

    def _added_s(self, target: Selector, factor: float) -> float:
        return (factor - 1.0) * self.inventory.scenario.system.providers[target.name].service_time.mean

    def _jitter_s(self, target: Selector, factor: float) -> float:
        """Half the width of an even distribution: its standard deviation times the root of three."""
        deviation_s = (factor - 1.0) * self.inventory.scenario.system.providers[target.name].service_time.deviation
        return min(sqrt(3.0) * deviation_s, self._added_s(target, factor))


class TakesSlots(LiveSystem):
    """Saturable: instances are told to work on fewer requests at once; what they work on is finished.

    Not by a busy processor: it would slow down everything else on the machine too. The slots there are without a fault are the scenario's.
    """

    def saturate(self, target: Selector, share: float) -> None:
        """Take a share of the slots."""
        for url, service in self.inventory.bounded(target):
            self._effects["slots", url, share] += 1
            self._tell(url, service)

    def release(self, target: Selector, share: float) -> None:
        """Give it back."""
        for url, service in self.inventory.bounded(target):
            self.last(("slots", url, share))
            self._tell(url, service)

    def _tell(self, url: str, service: str) -> None:
        """A slot that would be left in part is gone, as in the simulation."""
        left = float(self.inventory.scenario.system.services[service].slots)
        for effect, count in self._effects.items():
            if isinstance(effect, tuple) and effect[:2] == ("slots", url):
                left *= (1.0 - float(effect[2])) ** count
        hands = self.inventory.target.services[service].slots
        assert hands is not None, "only instances with hands are told"
        call("PUT", url, {hands.field: int(left + 1e-9)})


class FailsAtGateways(LiveSystem):
    """Failable: the fault filter of every gateway in front of a service answers for it."""

    def fail(self, target: Selector, error_ratio: float) -> None:
        """Answer a share with errors."""
        for admin, key in self._keys(target):
            self._effects["fail", admin, key, error_ratio] += 1
            Envoy(admin).set_runtime(key, self._percent(admin, key))

    def recover(self, target: Selector, error_ratio: float) -> None:
        """Take one share away."""
        for admin, key in self._keys(target):
            self.last(("fail", admin, key, error_ratio))
            Envoy(admin).set_runtime(key, self._percent(admin, key))

    def _percent(self, admin: str, key: str) -> float:
        """Shares combine as 1 - (1 - a)(1 - b); every gateway has its own."""
        good = 1.0
        for effect, count in self._effects.items():
            if isinstance(effect, tuple) and effect[:3] == ("fail", admin, key):
                good *= (1.0 - float(effect[3])) ** count
        return round(100.0 * (1.0 - good))

    def _keys(self, target: Selector) -> list[tuple[str, str]]:
        found = []
        for region, gateway in self.inventory.target.gateways.items():
            keys = gateway.runtime.get(target.name)
            if target.kind == "service" and target.at in (None, region) and keys and keys.abort and gateway.admin:
                found.append((gateway.admin, keys.abort))
        if not found:
            raise NotInTarget(f"the target names no runtime key with which a gateway would fail requests to {target}")
        return found


class StopsReplication(LiveSystem):
    """Replicating: the relays that carry a database's stream of changes are cut, in both directions."""

    def stop_replication(self, target: Selector) -> None:
        """Cut the stream of every node in the target."""
        for relay in self._streams(target):
            if self.first(("cut", relay)):
                Toxiproxy(relay[0]).enable(relay[1], enabled=False)

    def start_replication(self, target: Selector) -> None:
        """Let it through again."""
        for relay in self._streams(target):
            if self.last(("cut", relay)):
                Toxiproxy(relay[0]).enable(relay[1], enabled=True)

    def _streams(self, target: Selector) -> list[tuple[str, str]]:
        self.inventory.nodes(target)  # refuses a target that is no node
        replication = self.inventory.target.databases[target.name].replication
        if replication is None:
            raise NotInTarget(f"the target names no relay that carries the replication of {target}")
        return [(replication.toxiproxy.api, proxy) for proxy in replication.toxiproxy.proxies]


class FreezesAgents(LiveSystem):
    """Steerable: Patroni hangs, its PostgreSQL does not; the supervisor stops the agent's process alone."""

    def freeze_agent(self, target: Selector) -> None:
        """SIGSTOP every agent in the target, and nothing that it has started."""
        for process in self.inventory.agents(target):
            if self.first(("agent", process)):
                self.supervisor.freeze(process, children=False)

    def resume_agent(self, target: Selector) -> None:
        """SIGCONT what is no longer frozen."""
        for process in self.inventory.agents(target):
            if self.last(("agent", process)):
                self.supervisor.resume(process)


class BreaksNames(LiveSystem):
    """Resolving: the DNS server fails a share of lookups."""

    def break_dns(self, target: Selector, share: float) -> None:
        """Let a share fail."""
        del target
        self._effects["dns", share] += 1
        self._tell()

    def mend_dns(self, target: Selector, share: float) -> None:
        """Take one share away."""
        del target
        self.last(("dns", share))
        self._tell()

    def _tell(self) -> None:
        dns = self.inventory.target.dns
        assert dns is not None, "this part is left out without DNS control"
        good = 1.0
        for effect, count in self._effects.items():
            if isinstance(effect, tuple) and effect[0] == "dns":
                good *= (1.0 - float(effect[1])) ** count
        control = DnsControl(dns.control)
        control.break_share(1.0 - good) if good < 1.0 else control.mend()


def live_system(inventory: Inventory) -> LiveSystem:
    """The system with the ports that its target gives hands for."""
    target = inventory.target
    relays = bool(target.links) or any(provider.toxiproxy for provider in target.providers.values())
    has_agents = any(node.patroni and node.process for database in target.databases.values() for node in database.nodes)
    parts: list[tuple[bool, type[LiveSystem]]] = [
        (target.supervisor is not None, KillsProcesses),
        (target.supervisor is not None, FreezesProcesses),
        (relays, CutsRelays),
        (relays, ShapesRelays),
        (target.supervisor is not None or any(each.toxiproxy for each in target.providers.values()), SlowsWork),
        (any(service.slots for service in target.services.values()), TakesSlots),
        (any(each.abort for gateway in target.gateways.values() for each in gateway.runtime.values()), FailsAtGateways),
        (any(database.replication for database in target.databases.values()), StopsReplication),
        (has_agents and target.supervisor is not None, FreezesAgents),
        (target.dns is not None, BreaksNames),
    ]
    made: Callable[[Inventory], LiveSystem] = type("TargetSystem", tuple(part for has, part in parts if has) or (LiveSystem,), {})
    return made(inventory)
