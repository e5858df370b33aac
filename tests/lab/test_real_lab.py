"""The lab for real: it starts, sells, is broken in every way it offers, and ends without a trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.lab.real import Answer, Lab, gameday, http, needs_lab, started, until

pytestmark = needs_lab


def rows(dsn: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    import psycopg

    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        return connection.execute(query, values).fetchall()  # type: ignore[arg-type]


def members_of(folder: Path) -> list[Any]:
    """Processes whose working directory is in the lab's folder, found by other means than the lab's own."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                where = str((place / "cwd").readlink())
                state = (place / "stat").read_text().rpartition(") ")[2][0]
            except OSError:
                continue
            if where.startswith(f"{folder}/") and state != "Z":
                found.append(int(place.name))
    return found


def asked(name: str, target: dict[str, Any], *, tcp: bool = False) -> Any:
    """A real question to the lab's name server."""
    from dnslib import DNSRecord

    host, _, port = target["public"]["resolver"].rpartition(":")
    return DNSRecord.parse(DNSRecord.question(name).send(host, int(port), tcp=tcp, timeout=10))


# -- it works -----------------------------------------------------------------------------------------------------------


def test_status_names_every_process_of_the_target_file(lab: Lab) -> None:
    ended = gameday("lab", "status", "--json", folder=lab.folder.parents[1])
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["ready"], found["waiting"]) == (0, True, [])
    named = {one["process"] for service in lab.target["services"].values() for one in service["instances"]}
    named |= {node["process"] for node in lab.target["databases"]["orders"]["nodes"]}
    named |= {gateway["process"] for gateway in lab.target["gateways"].values()}
    named |= {lab.target["consensus"]["etcd"]["process"], lab.target["providers"]["payments"]["process"]}
    assert named <= set(found["processes"])
    assert len({one["node"] for one in found["processes"].values()}) == len(found["processes"]), "each has its own address"
    assert {"PostgreSQL", "Envoy", "etcd", "Patroni"} == set(found["versions"])


def test_nothing_listens_outside_of_loopback(lab: Lab) -> None:
    import psutil

    listening = [
        one.laddr.ip
        for pid in members_of(lab.folder)
        for one in psutil.Process(pid).net_connections("inet")
        if one.status == psutil.CONN_LISTEN or not one.raddr
    ]
    assert len(listening) > 40
    assert {host.partition(".")[0] for host in listening} == {"127"}


def test_the_supervisor_obeys_only_who_has_the_token(lab: Lab) -> None:
    for headers in ({}, {"X-Lab-Token": "guessed"}):
        assert http(lab.target["supervisor"] + "/processes/etcd/kill", "POST", headers=headers).status == 401
    assert (lab.folder / "token").stat().st_mode & 0o077 == 0
    assert lab.process("etcd")["state"] == "running"


def test_an_order_is_paid_and_kept_once_however_often_it_is_sent(lab: Lab) -> None:
    first, again = lab.buy("eu-1", id="twice", item=7), lab.buy("eu-2", id="twice", item=7)
    assert (first.status, again.status) == (201, 201)
    assert first.body["charge"] == again.body["charge"]
    dsn = lab.target["databases"]["orders"]["gateway_dsn"]["eu-2"]
    query = "SELECT o.state, p.charge FROM orders AS o JOIN payments AS p ON p.order_id = o.id WHERE o.id = %s"
    assert rows(dsn, query, "twice") == [("confirmed", first.body["charge"])]


def test_an_order_that_is_none_is_refused(lab: Lab) -> None:
    assert lab.buy("eu-1", item="many").status == 400
    assert lab.buy("eu-1", item=999).status == 404
    assert http(lab.instance("checkout")["url"] + "/control", "PUT", [1]).status == 400


def test_the_catalog_reads_the_copy_of_its_own_region(lab: Lab) -> None:
    for region in lab.target["entries"]:
        answer = http(lab.target["entries"][region] + "/catalog/5")
        assert (answer.status, answer.body["source"]) == (200, "nearest")
    assert http(lab.target["entries"]["eu-1"] + "/catalog/999999").status == 404


def test_the_gateways_count_what_went_through_them(lab: Lab) -> None:
    def served() -> float:
        text = http(lab.target["gateways"]["eu-1"]["admin"] + "/stats/prometheus").body
        name = 'envoy_cluster_upstream_rq_total{envoy_cluster_name="checkout"}'
        (line,) = (line for line in text.splitlines() if line.startswith(name))
        return float(line.split()[-1])

    before = served()
    assert lab.buy("eu-1").status == 201
    assert served() == before + 1


# -- overload and degradation -------------------------------------------------------------------------------------------


def at_once(ask: Callable[[int], Answer], count: int) -> list[Answer]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


def test_who_comes_when_everything_is_taken_is_told_to_come_back(healed: Lab) -> None:
    url = healed.instance("checkout")["url"]
    slow = {"service_time": "constant 2s"}
    usual = http(url + "/control").body
    assert http(url + "/control", "PUT", slow).status == 200
    try:
        answers = at_once(lambda number: http(f"{url}/checkout", "POST", {}, {"x-class": "critical"}), 16)
    finally:
        assert http(url + "/control", "PUT", {"service_time": usual["service_time"]}).body == usual
    shed = [one for one in answers if one.status == 503]
    assert Counter(one.status for one in answers) == {201: usual["slots"], 503: 16 - usual["slots"]}
    assert all(one.headers["retry-after"] == "1" and one.headers["x-reason"] == "shed" for one in shed)


def test_the_shop_sells_without_recommendations(healed: Lab) -> None:
    for one in healed.target["services"]["recommendations"]["instances"]:
        assert healed.supervisor("POST", f"/processes/{one['process']}/kill").body["state"] == "stopped"
    answer = http(healed.target["entries"]["eu-1"] + "/catalog/5")
    assert (answer.status, answer.body["recommended"]) == (200, None)


def test_the_degradation_policy_switches_recommendations_off(healed: Lab) -> None:
    url = healed.instance("catalog")["url"]
    assert len(http(url + "/catalog/5").body["recommended"]) == 3
    assert http(url + "/control", "PUT", {"recommendations": False}).status == 200
    assert http(url + "/catalog/5").body["recommended"] is None
    assert http(url + "/control", "PUT", {"recommendations": True}).status == 200
    wrong = http(url + "/control", "PUT", {"recommendation": True})
    assert wrong.status == 400
    assert "recommendations" in wrong.body["error"]


def test_an_order_whose_payment_hangs_is_cancelled_and_its_charge_voided(healed: Lab) -> None:
    provider = healed.target["providers"]["payments"]
    usual = http(provider["control"]).body["service_time"]
    assert http(provider["control"], "PUT", {"service_time": "constant 3s"}).status == 200
    try:
        answer = healed.buy("eu-1", id="hangs")
    finally:
        http(provider["control"], "PUT", {"service_time": usual})
    assert (answer.status, answer.body["error"]) == (502, "payment")
    dsn = healed.target["databases"]["orders"]["gateway_dsn"]["eu-1"]
    assert rows(dsn, "SELECT state, reason FROM orders WHERE id = %s", "hangs") == [("cancelled", "payment")]
    assert http(provider["url"] + "/charges/hangs").status == 404
    assert http(provider["url"] + "/charges/hangs", "POST", {}).status == 409, "a charge that comes after its void is refused"


def test_calibration_finds_what_the_lab_was_told_to_be(healed: Lab) -> None:
    ended = gameday("lab", "calibrate", "--json", folder=healed.folder.parents[1])
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["payments"]["mean_s"] >= 0.05, "told: 60 ms"
    assert found["checkout"]["mean_s"] >= 0.035, "told: 40 ms; real work comes on top"
    most = found["slots"]["checkout"] / (0.9 * (0.04 + 0.06))
    assert 0 < found["capacity"]["checkout"] <= most, "slots bound what an instance does, whatever is asked of it"
    assert 0 < found["lag"]["mean_s"] < 5
    assert min(found["boot_s"].values()) > 0.1


# -- links and names ----------------------------------------------------------------------------------------------------


def test_a_link_is_as_slow_as_it_is_told_and_as_dead(healed: Lab) -> None:
    link = healed.target["links"]["users->eu-1"]["toxiproxy"]
    proxy = f"{link['api']}/proxies/{link['proxies'][0]}"
    url = healed.target["entries"]["eu-1"] + "/health"
    toxic = {"type": "latency", "stream": "downstream", "attributes": {"latency": 700}}
    assert http(f"{proxy}/toxics", "POST", toxic).status == 200
    began = time.monotonic()
    assert http(url).status == 200
    assert time.monotonic() - began >= 0.7
    assert http(f"{proxy}/toxics/latency_downstream", "DELETE").status == 204
    assert http(proxy, "POST", {"enabled": False}).body["enabled"] is False
    assert http(url).status == 0
    assert http(healed.target["entries"]["eu-2"] + "/health").status == 200
    assert http(proxy, "POST", {"enabled": True}).status == 200
    assert http(url).status == 200


def test_a_copy_that_is_cut_off_is_not_read_when_it_is_too_old(healed: Lab) -> None:
    replication = healed.target["databases"]["orders"]["replication"]["toxiproxy"]
    region = healed.standby()["region"]
    url = next(one["url"] for one in healed.target["services"]["catalog"]["instances"] if one["region"] == region)
    for proxy in replication["proxies"]:
        assert http(f"{replication['api']}/proxies/{proxy}", "POST", {"enabled": False}).status == 200

    def cut_off() -> bool:
        answer = http(url + "/catalog/5")
        return answer.status == 502 and answer.body["error"] == "no copy is fresh enough"

    until(cut_off, "the copy is older than the limit, and the primary cannot be reached from its region")


def test_names_are_answered_with_their_time_to_live_until_they_are_moved(healed: Lab) -> None:
    target = healed.target
    hosts = {url.removeprefix("http://").partition(":")[0] for url in target["entries"].values()}
    for tcp in (False, True):
        answer = asked("shop.lab", target, tcp=tcp)
        assert {(str(one.rdata), one.ttl) for one in answer.rr} == {(host, 30) for host in hosts}
    assert asked("nowhere.lab", target).header.rcode == 3
    control = target["dns"]["control"]
    before = http(control + "/records").body["records"]["shop.lab"]
    only = {"addresses": {"eu-2": before["addresses"]["eu-2"]}, "ttl": 5}
    assert http(control + "/records/shop.lab", "PUT", only).status == 200
    assert [(str(one.rdata), one.ttl) for one in asked("shop.lab", target).rr] == [(before["addresses"]["eu-2"], 5)]
    assert http(control + "/break", "POST", {"share": 1.0}).status == 200
    assert asked("shop.lab", target).header.rcode == 2
    assert http(control + "/mend", "POST").status == 200
    assert http(control + "/records/shop.lab", "PUT", before).status == 200
    for wrong in ({"ttl": -1}, {"address": "somewhere"}, {"addresses": {}, "ttl": True}):
        assert http(control + "/records/shop.lab", "PUT", wrong).status == 400


# -- processes ----------------------------------------------------------------------------------------------------------


def test_a_frozen_instance_accepts_connections_and_answers_none(healed: Lab) -> None:
    one = healed.instance("catalog")
    frozen = healed.supervisor("POST", f"/processes/{one['process']}/freeze")
    assert (frozen.status, frozen.body["state"]) == (200, "frozen")
    assert healed.supervisor("POST", f"/processes/{one['process']}/freeze").body == frozen.body, "twice is once"
    host, _, port = one["url"].removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    url = healed.target["entries"]["eu-1"] + "/catalog/5"
    until(lambda: all(http(url).status == 200 for _ in range(6)), "the gateway sends nothing to the frozen one any more")
    assert healed.supervisor("POST", f"/processes/{one['process']}/resume").body["state"] == "running"
    assert http(one["url"] + "/health").status == 200


def test_a_process_that_dies_by_itself_is_started_again(healed: Lab) -> None:
    one = healed.instance("recommendations")["process"]
    before = healed.process(one)["pid"]
    os.kill(before, signal.SIGKILL)
    until(lambda: healed.process(one)["pid"] not in {None, before}, "another process")


def test_what_there_is_not_is_refused_by_name(lab: Lab) -> None:
    answer = lab.supervisor("POST", "/processes/checkout/kill")
    assert answer.status == 404
    assert "checkout-eu-1a-1" in answer.body["error"]
    ended = gameday("lab", "logs", "gatway-eu-1", folder=lab.folder.parents[1])
    assert ended.returncode == 2
    assert "did you mean 'gateway-eu-1'?" in ended.stderr


def test_a_killed_primary_is_replaced_keeps_its_writes_and_comes_back_as_standby(healed: Lab) -> None:
    old, new = healed.primary(), healed.standby()
    until(lambda: healed.buy("eu-1", id="before the kill").status == 201, "an order is paid")
    killed = healed.supervisor("POST", f"/processes/{old['process']}/kill")
    assert (killed.status, killed.body["state"]) == (200, "stopped")
    assert members_of(healed.folder / "data" / old["process"]) == [], "PostgreSQL is dead too"
    until(lambda: http(new["patroni"] + "/primary").status == 200, "the standby is promoted")
    until(lambda: healed.buy("eu-1").status == 201, "orders go to the new primary")
    query = "SELECT state FROM orders WHERE id = %s"
    assert rows(new["dsn"], query, "before the kill") == [("confirmed",)]
    assert healed.supervisor("POST", f"/processes/{old['process']}/restart").status == 200

    def is_back() -> bool:
        found = http(new["patroni"] + "/cluster").body["members"]
        return {(one["name"], one["state"]) for one in found if one["role"] == "replica"} == {(old["name"], "streaming")}

    until(is_back, "the old primary streams from the new one")
    assert rows(old["dsn"], "SELECT pg_is_in_recovery()") == [(True,)]


def test_a_frozen_agent_leaves_its_postgres_running(healed: Lab) -> None:
    node = healed.standby()
    assert healed.supervisor("POST", f"/processes/{node['process']}/freeze?children=0").body["state"] == "frozen"
    assert http(node["patroni"] + "/health", within_s=0.5).status == 0
    assert rows(node["dsn"], "SELECT 1") == [(1,)]
    assert healed.supervisor("POST", f"/processes/{node['process']}/resume").body["state"] == "running"
    until(lambda: http(node["patroni"] + "/health").status == 200, "the agent answers again")


# -- monitoring ---------------------------------------------------------------------------------------------------------

RULES = """groups:
- name: lab
  rules:
  - {alert: InstanceDown, expr: 'up{job="catalog"} == 0', labels: {severity: page}}
"""
ROUTES = """route: {receiver: us, group_wait: 1s, group_interval: 1s}
receivers: [{name: us, webhook_configs: [{url: 'http://127.0.0.1:%d/'}]}]
"""


@pytest.mark.skipif(
    not all(map(shutil.which, ("prometheus", "promtool", "prometheus-alertmanager", "amtool"))),
    reason="Debian: apt install prometheus",
)
def test_prometheus_sees_a_dead_instance_and_alertmanager_tells_us(healed: Lab, tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")
        (tmp_path / "routes.yml").write_text(ROUTES % server.server_port, encoding="utf-8")
        files = ("--rules", str(tmp_path / "rules.yml"), "--alertmanager", str(tmp_path / "routes.yml"), "--scrape", "1")
        ended = gameday("lab", "up", "--json", *files, folder=healed.folder.parents[1])
        assert ended.returncode == 0, ended.stderr
        prometheus = json.loads(ended.stdout)["prometheus"]
        assert f"prometheus: {prometheus}" in (healed.folder / "target.yaml").read_text(encoding="utf-8")

        def value(query: str) -> float:
            found = http(f"{prometheus}/api/v1/query?query={query}").body["data"]["result"]
            return float(found[0]["value"][1]) if found else 0.0

        until(lambda: value("count(up==1)") == 17, "gateways, services, provider and Patroni are all scraped")
        one = healed.instance("catalog")["process"]
        assert healed.supervisor("POST", f"/processes/{one}/kill").status == 200
        until(lambda: [alert for alert in told if alert["labels"].get("process") == one], "the alert comes back")
        server.shutdown()
    (tmp_path / "rules.yml").write_text("groups: [{name: x, rules: [{alert: A, expr: 'up ='}]}]", encoding="utf-8")
    refused = gameday("lab", "up", *files, folder=healed.folder.parents[1])
    assert refused.returncode == 2
    assert "promtool refuses" in refused.stderr


# -- beginnings and ends ------------------------------------------------------------------------------------------------


def test_a_second_lab_beside_the_first_survives_the_death_of_its_supervisor(lab: Lab, tmp_path: Path) -> None:
    other = started(tmp_path, "--name", "other", "--synchronous")
    try:
        assert other.target["supervisor"] != lab.target["supervisor"]
        members = {one["role"] for one in http(other.primary()["patroni"] + "/cluster").body["members"]}
        assert members == {"leader", "sync_standby"}
        (supervisor,) = [
            pid for pid in members_of(other.folder) if b"experiments.lab.supervisor" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        os.kill(supervisor, signal.SIGKILL)
        until(lambda: gameday("lab", "status", "--name", "other", folder=tmp_path).returncode == 2, "nobody supervises")
        told = gameday("lab", "status", "--name", "other", folder=tmp_path).stderr
        assert "'gameday lab up' starts it afresh, 'gameday lab down' cleans up" in told
        assert len(members_of(other.folder)) > 15
        again = started(tmp_path, "--name", "other", "--synchronous")
        assert again.buy("eu-2").status == 201
    finally:
        ended = gameday("lab", "down", "--name", "other", "--json", folder=tmp_path)
    assert json.loads(ended.stdout)["ended"] >= 20
    assert members_of(other.folder) == []
    assert sorted(one.name for one in other.folder.iterdir()) == ["logs"]
    assert lab.buy("eu-1").status == 201, "the first lab is not touched"
    assert gameday("lab", "down", "--name", "other", folder=tmp_path).stdout == "lab 'other' was not up\n"
