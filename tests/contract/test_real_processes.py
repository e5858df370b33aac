"""Real processes keep the contract of the ports: small web servers as children, asked over the loopback."""

from __future__ import annotations

import http.client
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic

import pytest

from experiments.adapters.processes import Processes
from experiments.throttle import stopped_ratio
from gameday.errors import GamedayError
from gameday.faults import Fault, make
from gameday.port_contract import check_ports_contract
from gameday.ports import Freezable, Killable, Slowable, capabilities_of
from gameday.selectors import Selector

PATIENCE_S = 0.25
BOUND_S = 10.0
SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ProcessRig:
    """Two servers; a target serves when it answers a request in time."""

    def __init__(self) -> None:
        self.ports = {"example": free_port(), "bystander": free_port()}
        self.processes = Processes({name: [sys.executable, "-c", SERVER, str(port)] for name, port in self.ports.items()})

    @property
    def system(self) -> object:
        return self.processes

    def cases(self) -> list[tuple[Fault, Selector]]:
        faults = [make("kill"), make("freeze"), make("slow", {"factor": 4.0}), make("noop")]
        return [(fault, Selector.parse("service/example")) for fault in faults]

    def answer(self, name: str) -> str:
        """What a client gets: `served`, `refused` or `nothing` within its patience."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=PATIENCE_S)
        try:
            connection.request("GET", "/")
            return "served" if connection.getresponse().status == 204 else "wrong"
        except TimeoutError:
            return "nothing"
        except OSError:
            return "refused"
        finally:
            connection.close()

    def settle(self) -> None:
        """A server that runs opens its port within the bound; one that does not run never will."""
        deadline = monotonic() + BOUND_S
        for name in self.ports:
            while self.processes.running(name) and self.answer(name) == "refused":
                assert monotonic() < deadline, f"{name} did not open its port"

    def observe(self, target: Selector) -> Mapping[str, object]:
        serving = self.answer(target.name) == "served"
        return {"serving": serving, "bystander": self.answer("bystander"), "starved": self.starved(target.name)}

    def starved(self, name: str) -> bool:
        """Whether the kernel has the process stopped at many of some looks."""
        return not self.processes.running(name) or stopped_ratio(self.processes.pid(name), 60, 0.0053) > 0.3


@contextmanager
def rig() -> Iterator[ProcessRig]:
    made = ProcessRig()
    with made.processes:
        yield made


def test_real_processes_keep_the_contract() -> None:
    assert check_ports_contract(rig) == ["kill", "freeze", "slow", "noop"]


def test_processes_can_be_killed_frozen_and_slowed_and_nothing_else() -> None:
    with rig() as made:
        assert capabilities_of(made.system) == (Killable, Freezable, Slowable)


def test_a_frozen_process_takes_requests_in_and_answers_none_of_them() -> None:
    with rig() as made:
        made.settle()
        target = Selector.parse("service/example")
        made.processes.freeze(target)
        assert made.answer("example") == "nothing"
        assert made.answer("bystander") == "served"
        made.processes.resume(target)
        assert made.answer("example") == "served"


def test_a_process_frozen_and_killed_comes_back_frozen() -> None:
    with rig() as made:
        made.settle()
        target = Selector.parse("service/example")
        made.processes.freeze(target)
        made.processes.kill(target)
        assert made.answer("example") == "refused"
        made.processes.restart(target)
        assert made.answer("example") in ("refused", "nothing")
        made.processes.resume(target)
        made.settle()
        assert made.answer("example") == "served"


@pytest.mark.parametrize("text", ["service/exampel", "service/example@eu-1", "zone/eu-1a"])
def test_what_it_did_not_start_is_refused_by_name(text: str) -> None:
    with rig() as made, pytest.raises(GamedayError, match="is none of processes on this machine"):
        made.processes.kill(Selector.parse(text))


def test_closing_ends_every_process_even_a_frozen_one() -> None:
    with rig() as made:
        made.settle()
        made.processes.freeze(Selector.parse("service/example"))
    assert not made.processes.running("example")
    assert not made.processes.running("bystander")
    assert made.answer("bystander") == "refused"
