"""Proof that a fault bites: what was broken is asked, not whoever broke it.

The rule that surprises: a supervisor that says "killed" proves nothing. A killed instance is proven by its address that answers no more.
What cannot be proven is not, and the verdict of the day is then inconclusive.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from experiments.adapters.patroni import primaries, state_of, streaming
from experiments.adapters.supervisor import Supervisor
from experiments.adapters.toxiproxy import Toxiproxy
from experiments.calls import call, status_of
from experiments.inventory import Inventory
from experiments.names import resolves
from experiments.routes import send
from experiments.throttle import stopped_ratio
from gameday.faults import Fault
from gameday.faults.slow import Slow
from gameday.resources import InstanceRef, NodeRef, ProviderRef, Ref
from gameday.selectors import Selector

PATIENCE_S = 8.0
"""How long a fault may take to show."""
EVERY_S = 0.2
ANSWER_WITHIN_S = 1.0
LOOKS, LOOK_EVERY_S = 200, 0.0053
"""Looks at a process that gets a share of the processor; no multiple of the throttle's slice."""
LOOK_ERROR = 0.1
TRIES = 20
"""Requests that look for a share of errors."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a fault was seen, and what was asked and answered."""

    holds: bool
    words: str


def prove(inventory: Inventory, fault: Fault, pinned: Selector, patience_s: float = PATIENCE_S) -> Proof:
    """Look until the fault shows, at most `patience_s`."""
    ask = _question(inventory, fault, pinned)
    ends = time.monotonic() + patience_s
    while True:
        proof = ask()
        if proof.holds or time.monotonic() >= ends:
            return proof
        time.sleep(EVERY_S)


def _question(inventory: Inventory, fault: Fault, pinned: Selector) -> Callable[[], Proof]:
    kind = "slow provider" if fault.name == "slow" and pinned.kind == "provider" else fault.name
    questions: dict[str, Callable[[], Proof]] = {
        "kill": lambda: _silent(inventory, pinned),
        "freeze": lambda: _silent(inventory, pinned),
        "agent_freeze": lambda: _agents_hang(inventory, pinned),
        "outage": lambda: _cut(inventory, pinned),
        "partition": lambda: _cut(inventory, pinned),
        "latency": lambda: _delayed(inventory, pinned),
        "slow provider": lambda: _delayed(inventory, pinned),
        "slow": lambda: _throttled(inventory, fault, pinned),
        "capacity": lambda: _narrow(inventory, pinned),
        "errors": lambda: _failing(inventory, pinned),
        "replication_stop": lambda: _not_streaming(inventory, pinned),
        "dns_outage": lambda: _unresolved(inventory),
        "noop": lambda: Proof(True, "nothing was to be seen"),
    }
    return questions.get(kind, lambda: Proof(False, f"there is no probe for {fault.name} on {pinned}"))


def _silent(inventory: Inventory, pinned: Selector) -> Proof:
    """Nothing in the target answers."""
    asked = [
        (name, answers)
        for ref in sorted(inventory.refs(pinned), key=str)
        if (name := _address(inventory, ref))
        for answers in [_answers(inventory, ref)]
    ]
    if not asked:
        return Proof(False, f"nothing in {pinned} has an address that could be asked")
    loud = [name for name, answers in asked if answers]
    silent = [name for name, answers in asked if not answers]
    return Proof(not loud, f"no answer from {', '.join(silent)}" if not loud else f"{', '.join(loud)} still answers")


def _address(inventory: Inventory, ref: Ref) -> str | None:
    if isinstance(ref, InstanceRef):
        gateway = inventory.gateway(ref)
        if gateway:
            return inventory.target.entries.get(gateway[0])
        instance = inventory.instance(ref)
        return instance.url if instance else None
    if isinstance(ref, NodeRef):
        return inventory.node(ref).name
    if isinstance(ref, ProviderRef):
        provider = inventory.target.providers.get(ref.provider)
        return provider.url if provider else None
    return None


def _answers(inventory: Inventory, ref: Ref) -> bool:
    if isinstance(ref, NodeRef):
        return state_of(inventory.node(ref)).role != "down"
    address = _address(inventory, ref)
    assert address is not None, "only what has an address is asked"
    if isinstance(ref, InstanceRef) and inventory.gateway(ref) is None:
        instance = inventory.instance(ref)
        address += instance.health if instance else ""
    return status_of(address, ANSWER_WITHIN_S) != 0


def _cut(inventory: Inventory, pinned: Selector) -> Proof:
    """Every relay of the target keeps silent, and nothing comes back through it; a provider without a relay does not answer."""
    if pinned.kind == "provider" and inventory.target.providers[pinned.name].toxiproxy is None:
        return _silent(inventory, pinned)
    relays = [(Toxiproxy(api), proxy) for api, proxy in inventory.relays(pinned)]
    through = [
        listen
        for relay, proxy in relays
        if _is_answered(listen := str(relay.proxies()[proxy]["listen"])) or not relay.is_silent(proxy)
    ]
    words = f"{', '.join(through)} still lets through" if through else f"nothing comes through {len(relays)} relays"
    return Proof(not through, words)


def _is_answered(listen: str) -> bool:
    """Whether anything comes back for a few bytes that are sent."""
    host, _, port = listen.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), ANSWER_WITHIN_S) as opened:
            opened.settimeout(ANSWER_WITHIN_S)
            opened.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return opened.recv(1) != b""
    except OSError:
        return False


def _agents_hang(inventory: Inventory, pinned: Selector) -> Proof:
    """The agents are silent, the databases beside them are not."""
    nodes = inventory.nodes(pinned)
    loud = [node.name for node in nodes if status_of(f"{node.patroni}/liveness", ANSWER_WITHIN_S) != 0]
    dead = [node.name for node in nodes if state_of(node).role == "down"]
    if loud or dead:
        return Proof(False, "; ".join([f"the agent of {name} answers" for name in loud] + [f"{name} is down" for name in dead]))
    return Proof(True, f"{', '.join(node.name for node in nodes)} answers, its agent does not")


def _narrow(inventory: Inventory, pinned: Selector) -> Proof:
    """Every instance says that it works on fewer requests at once than the scenario gives it."""
    said = []
    for url, service in inventory.bounded(pinned):
        hands = inventory.target.services[service].slots
        assert hands is not None, "only instances with hands are asked"
        said.append((int(call("GET", url)[hands.field]), inventory.scenario.system.services[service].slots))
    words = ", ".join(f"{left} of {whole} slots" for left, whole in said)
    return Proof(all(left < whole for left, whole in said), words)


def _throttled(inventory: Inventory, fault: Fault, pinned: Selector) -> Proof:
    """The kernel is asked of each process, again and again, whether it is stopped; what its supervisor says counts for nothing."""
    assert isinstance(fault, Slow), "asked for no other fault"
    target = inventory.target
    known = Supervisor(target.supervisor or "", target.token()).processes()
    wanted, seen = 1.0 - 1.0 / fault.factor, []
    for name in inventory.throttled(pinned):
        try:
            seen.append((name, stopped_ratio(int(known[name]["pid"]), LOOKS, LOOK_EVERY_S)))
        except (ProcessLookupError, KeyError, TypeError):
            return Proof(False, f"{name} is no process on this machine that could be looked at")
    words = ", ".join(f"{name} was waiting {ratio:.0%} of the time" for name, ratio in seen)
    return Proof(all(ratio >= wanted - LOOK_ERROR for _, ratio in seen), f"{words}, {wanted:.0%} wanted")


def _delayed(inventory: Inventory, pinned: Selector) -> Proof:
    """The relays hold a delay; a provider's answer takes at least as long."""
    relays = inventory.relays(pinned)
    wanted_s = min(Toxiproxy(api).latency_s(proxy) for api, proxy in relays)
    if wanted_s <= 0.0:
        return Proof(False, "a relay holds no delay")
    provider = inventory.target.providers.get(pinned.name) if pinned.kind == "provider" else None
    if provider is None:
        return Proof(True, f"{len(relays)} relays hold a delay of {wanted_s:g} s")
    listen = str(Toxiproxy(relays[0][0]).proxies()[relays[0][1]]["listen"])
    path = urlsplit(provider.url or "").path or "/"
    began = time.monotonic()
    status = status_of(f"http://{listen}{path}", wanted_s + 5.0)
    taken_s = time.monotonic() - began
    return Proof(taken_s >= wanted_s, f"an answer through the relay ({status}) took {taken_s:.2f} s, delay {wanted_s:g} s")


def _failing(inventory: Inventory, pinned: Selector) -> Proof:
    """Requests that reach the service meet errors."""
    topology = inventory.topology
    names = [
        name
        for name, each in inventory.scenario.load.classes.items()
        if name in inventory.target.routes
        and any(call.to.removeprefix("service/") == pinned.name for call in topology.calls_of(each.entry, name))
    ]
    if not names:
        return Proof(False, f"no class of requests with a route reaches {pinned}")
    bad = sum(send(inventory.target, names[0], timeout_s=ANSWER_WITHIN_S).status >= 500 for _ in range(TRIES))
    return Proof(bad > 0, f"{bad} of {TRIES} requests of {names[0]} were answered with errors")


def _not_streaming(inventory: Inventory, pinned: Selector) -> Proof:
    """The primary sends the target's nodes nothing."""
    found = primaries(inventory.target.databases[pinned.name])
    if len(found) != 1:
        return Proof(False, f"{len(found)} primaries")
    names, left = {node.name for node in inventory.nodes(pinned)}, streaming(found[0])
    cut = not left if found[0].name in names else not names & set(left)
    return Proof(cut, f"{found[0].name} streams to {', '.join(left) or 'nobody'}")


def _unresolved(inventory: Inventory) -> Proof:
    public = inventory.target.public
    if public is None or public.resolver is None:
        return Proof(False, "the target names no resolver")
    failed = sum(not resolves(public.resolver, public.name) for _ in range(TRIES))
    return Proof(failed > 0, f"{failed} of {TRIES} lookups of {public.name} failed")
