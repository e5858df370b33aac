"""What live days do to a real lab beside breaking it: a planned switch-over, a drained gateway, and everything put back."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("psycopg", reason="needs the live extra")

from experiments.actions import drain, switch_over, undrain
from experiments.clock import RunClock
from experiments.inventory import Inventory, NotInTarget
from experiments.observe.database_moves import DatabaseMoves
from experiments.observe.decisions import Decisions
from experiments.observe.notebook import Notebook
from experiments.observe.region_failover import RegionFailover
from experiments.observe.steering import Steering
from experiments.proofs import prove
from experiments.put_back import put_back
from experiments.session import TARGET
from experiments.system import live_system
from gameday.faults import make
from gameday.scenario import read_scenario
from gameday.selectors import Selector
from gameday.target import read_target
from gameday.timeline_files import read_timeline
from tests.lab.real import Lab, gameday, http, needs_lab, until

pytestmark = needs_lab
ROOT = Path(__file__).parents[2]


def configuration(lab: Lab) -> dict[str, str]:
    return {TARGET: str(lab.folder / "target.yaml")}


def test_a_planned_switch_over_hands_the_primary_role_on_without_losing_a_write(healed: Lab) -> None:
    assert healed.buy("eu-1", id="before the hand-over").status == 201
    before, after = healed.primary()["name"], healed.standby()["name"]
    assert switch_over("orders", configuration(healed)) == before
    until(lambda: http(healed.target["databases"]["orders"]["nodes"][1]["patroni"] + "/cluster").status == 200, "Patroni answers")
    until(
        lambda: [one["name"] for one in nodes(healed) if http(one["patroni"] + "/primary").status == 200] == [after], "handed on"
    )
    until(lambda: healed.buy("eu-1", id="after the hand-over").status == 201, "orders go to the new primary")
    until(lambda: healed.buy("eu-1", id="before the hand-over").status == 201, "an order that was kept is answered as before")


def nodes(lab: Lab) -> list[dict[str, str]]:
    found: list[dict[str, str]] = lab.target["databases"]["orders"]["nodes"]
    return found


def test_a_drained_gateway_tells_its_health_checkers_to_go_elsewhere_and_comes_back(healed: Lab) -> None:
    admin = healed.target["gateways"]["eu-1"]["admin"]

    def failing() -> float:
        text = http(admin + "/stats?filter=server.live&format=json").body
        return 1.0 - float(text["stats"][0]["value"])

    assert failing() == 0.0
    assert drain("eu-1", configuration(healed)) == admin
    try:
        assert failing() == 1.0
        assert http(admin + "/ready").status == 503
    finally:
        undrain("eu-1", configuration(healed))
    assert failing() == 0.0
    assert http(admin + "/ready").status == 200
    assert healed.buy("eu-1").status == 201


def test_a_service_with_a_quarter_of_the_processor_works_four_times_as_long(healed: Lab) -> None:
    day, url = read_scenario(ROOT / "scenarios" / "live-primary-killed.yaml"), healed.instance("catalog")["url"]
    inventory = Inventory(day, read_target(healed.folder / "target.yaml"))
    fault, target = make("slow", {"factor": 4.0}), Selector.parse("service/catalog@eu-1")
    usual = http(url + "/control").body
    assert http(url + "/control", "PUT", {"service_time": "constant 50ms", "recommendations": False}).status == 200

    def worked_s() -> float:
        """Mean of what twenty requests, one after another, took."""
        began = time.monotonic()
        assert all(http(url + "/catalog/5").status == 200 for _ in range(20))
        return (time.monotonic() - began) / 20

    before_s = worked_s()
    try:
        fault.inject(live_system(inventory), target)
        proof = prove(inventory, fault, target)
        assert proof.holds, proof.words
        assert healed.process(healed.instance("catalog")["process"])["share"] == 0.25
        assert worked_s() >= 4 * 0.05 * 0.95, f"{before_s} before"
        with pytest.raises(NotInTarget, match="a database is many processes"):
            fault.inject(live_system(inventory), Selector.parse("database/orders"))
        agent = healed.primary()["process"]
        assert healed.supervisor("POST", f"/processes/{agent}/throttle?share=0.5").status == 500, "PostgreSQL would escape"
    finally:
        fault.heal(live_system(inventory), target)
        http(url + "/control", "PUT", usual)
    assert {one["share"] for one in healed.supervisor("GET", "/processes").body.values()} == {1.0}
    assert not prove(inventory, fault, target, 0.0).holds


def test_an_agent_that_hangs_leaves_its_database_to_take_writes_and_wakes_up_again(healed: Lab) -> None:
    """By the plain fault, without an activity written by hand."""
    day = read_scenario(ROOT / "scenarios" / "live-primary-killed.yaml")
    inventory = Inventory(day, read_target(healed.folder / "target.yaml"))
    fault, standby = make("agent_freeze"), healed.standby()
    target = Selector.parse(f"database/orders@{standby['zone']}")
    assert not prove(inventory, fault, target, 0.0).holds
    system = live_system(inventory)
    fault.inject(system, target)
    try:
        assert prove(inventory, fault, target).words == f"{standby['name']} answers, its agent does not"
    finally:
        fault.heal(live_system(inventory), target)
    until(lambda: http(standby["patroni"] + "/liveness").status == 200, "the agent answers again")


def test_a_database_moves_with_its_region_and_home_again_by_its_own_cluster_manager(healed: Lab) -> None:
    day = read_scenario(ROOT / "scenarios" / "live-region-unreachable.yaml", ["policies.failover.databases=[orders]"])
    moves = DatabaseMoves(day, read_target(healed.folder / "target.yaml"))
    here, there = healed.primary()["region"], healed.standby()["region"]
    assert healed.buy("eu-1", id="before the move").status == 201
    assert (moves.at(here), moves.at(there)) == (["orders"], [])
    assert moves.lag_s("orders", here) is None, "where the primary is there is no copy"
    assert moves.lag_s("orders", there) is not None
    assert moves.move_of("orders") is None

    def follows(region: str) -> bool:
        return moves.lag_s("orders", region) is not None

    for region, left in ((there, here), (here, there)):
        assert moves.move("orders", region, "a move") is None
        assert moves.move_of("orders") == "a move", "whoever watches roles may notice it a little later"
        assert (moves.at(region), healed.primary()["region"]) == (["orders"], region)
        until(lambda: healed.buy("eu-1", id="after the move").status == 201, "orders go to the new primary")
        until(partial(follows, left), "the old primary follows")
    until(lambda: healed.buy("eu-1", id="before the move").status == 201, "what was bought before is still bought")


def test_people_steer_the_lab_and_what_they_change_is_put_back(healed: Lab, tmp_path: Path) -> None:
    day, target = read_scenario(ROOT / "scenarios" / "live-region-unreachable.yaml"), read_target(healed.folder / "target.yaml")
    notebook, decisions = Notebook(tmp_path, "observer", RunClock.starting_in(0.0)), Decisions(day.response.roles)
    moves = DatabaseMoves(day, target)
    failover = RegionFailover(day, target, notebook, Random("x"), decisions, moves)
    steering = Steering(day, target, notebook, tmp_path, failover, decisions, moves)
    admin, url = healed.target["gateways"]["eu-1"]["admin"], healed.instance("catalog")["url"]
    try:
        assert steering.act("kim", "drain", "eu-1") == "drain region/eu-1 is done"
        assert http(admin + "/ready").status == 503
        assert steering.act("kim", "disable_feature", "catalog -> recommendations").endswith("is done")
        assert http(url + "/control").body["recommendations"] is False
    finally:
        assert put_back(tmp_path) == []
    assert http(admin + "/ready").status == 200
    assert http(url + "/control").body["recommendations"] is True
    before = healed.primary()["name"]
    assert steering.act("lee", "promote", "orders") == "promote database/orders is done"
    assert moves.asked_by("orders") == "lee"
    until(lambda: [one for one in nodes(healed) if http(one["patroni"] + "/primary").status == 200], "somebody has the role")
    assert healed.primary()["name"] != before
    notebook.close()
    done = list(read_timeline(tmp_path / "observer.jsonl").of("action.succeeded"))
    assert [(event.data["action"], event.data["by"]) for event in done] == [
        ("drain", "kim"),
        ("disable_feature", "kim"),
        ("promote", "lee"),
    ]
    assert {event.source for event in done} == {"human"}


def test_reset_undoes_whatever_was_done_and_moves_the_primary_home(healed: Lab) -> None:
    first, other = (node for node in healed.target["databases"]["orders"]["nodes"])
    if healed.primary()["name"] == first["name"]:
        asked_for = {"leader": first["name"], "candidate": other["name"]}
        switchover = first["patroni"] + "/switchover"
        until(
            lambda: http(switchover, "POST", asked_for, within_s=60).status == 200,
            "the other node follows, so that it can take over",
        )
        until(lambda: http(other["patroni"] + "/primary").status == 200, "the other node is primary")
    control = healed.target["dns"]["control"]
    before = http(control + "/records").body["records"]["shop.lab"]
    http(control + "/records/shop.lab", "PUT", {"address": "127.0.0.9", "ttl": 1})
    killed = healed.instance("catalog")["process"]
    healed.supervisor("POST", f"/processes/{killed}/kill")
    assert healed.supervisor("POST", "/processes/gateway-eu-1/throttle?share=0.5").body["share"] == 0.5
    link = healed.target["links"]["users->eu-1"]["toxiproxy"]
    http(f"{link['api']}/proxies/{link['proxies'][0]}", "POST", {"enabled": False})
    ended = gameday("lab", "reset", "--json", folder=healed.folder.parents[1])
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["ready"] is True
    assert healed.primary()["name"] == first["name"]
    assert healed.process(killed)["state"] == "running"
    assert healed.process("gateway-eu-1")["share"] == 1.0
    assert http(control + "/records").body["records"]["shop.lab"] == before
    assert healed.buy("eu-1").status == 201


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("system.databases.orders.replication=synchronous", "it is asynchronous, and synchronous in the scenario"),
        ("policies.databases.orders.lease=25s", "it is 20s, 5s, and 25s, 5s in the scenario"),
        ("policies.databases.orders.check={interval: 1s, no_traffic: 60s}", "it is 1s, 1s, and 1s, 1m in the scenario"),
    ],
)
def test_a_day_about_another_system_than_the_lab_does_not_begin(lab: Lab, change: str, words: str) -> None:
    day = str(ROOT / "scenarios" / "live-primary-killed.yaml")
    command = ["live", day, "--target", str(lab.folder / "target.yaml"), "--dry-run", "--set", change]
    ended = gameday(*command, folder=lab.folder.parents[1])
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert [line for line in ended.stdout.splitlines() if words in line], ended.stdout
    failed = [line for line in ended.stdout.splitlines() if line.startswith("FAIL") and "served well" not in line]
    assert all(words in line for line in failed), "and nothing else is wrong"
