"""The writers of a live day are those that the scenario calls witnesses."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("psycopg", reason="needs the live extra")

from experiments.clock import RunClock
from experiments.observe.notebook import Notebook
from experiments.truth.__main__ import Truth
from gameday.scenario import read_scenario
from gameday.scenario.system import Witness
from gameday.shipped import shipped_scenarios
from gameday.target import Database
from gameday.write_truth import PER_SECOND

NODES = [{"name": f"orders-{zone}", "zone": zone, "region": zone[:-1], "dsn": "host=127.0.0.1"} for zone in ("eu-1a", "eu-2a")]
GATEWAYS = {"eu-1": "host=127.0.0.1", "eu-2": "host=127.0.0.1"}


def test_a_writer_takes_the_rate_of_its_witness_and_ten_a_second_without_one(tmp_path: Path) -> None:
    found = Database.model_validate({"nodes": NODES, "gateway_dsn": GATEWAYS})
    target: Any = SimpleNamespace(databases={"orders": found}, services={})
    witnesses = [Witness(node="eu-1a", rate=3.0), Witness(region="eu-2", rate=0.5)]
    scenario: Any = SimpleNamespace(system=SimpleNamespace(databases={"orders": SimpleNamespace(witnesses=witnesses)}))
    notebook = Notebook(tmp_path, "truth", RunClock.starting_in(0.0))
    truth = Truth("orders", target, scenario, notebook)
    notebook.close()
    rates = {writer.via: writer.per_second for writer in truth.writers}
    assert rates == {"orders-eu-1a": 3.0, "orders-eu-2a": PER_SECOND, "gateway/eu-1": PER_SECOND, "gateway/eu-2": 0.5}


def test_the_shipped_day_with_two_primaries_has_all_writers_of_the_lab_as_witnesses() -> None:
    witnesses = read_scenario(shipped_scenarios() / "live-frozen-async.yaml").system.databases["orders"].witnesses
    assert {witness.via for witness in witnesses} == {"eu-1a", "eu-2a", "gateway/eu-1", "gateway/eu-2"}
    assert {witness.rate for witness in witnesses} == {PER_SECOND}
