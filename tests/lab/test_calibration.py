"""What calibration writes: a system file that scenarios can include, with exactly what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gameday.scenario.system import System
from tests.lab.real import needs_lab

pytestmark = needs_lab
ROOT = Path(__file__).parents[2]


def test_the_system_file_says_what_was_measured() -> None:
    from experiments.lab.calibrate import Calibration, Measured
    from experiments.lab.system_file import system_file

    found = Calibration(
        gateway=Measured(0.0004, 1.0),
        checkout=Measured(0.0425, 0.5),
        catalog=Measured(0.016, 0.5),
        recommendations=Measured(0.021, 1.0),
        payments=Measured(0.0612, 0.4),
        write=Measured(0.003, 0.7),
        read=Measured(0.001, 0.7),
        lag=Measured(0.005, 0.6),
        link_s=0.0012,
        capacity={"checkout": 18.4, "catalog": 200.0, "recommendations": 180.0},
        slots={"checkout": 2, "catalog": 4, "recommendations": 4},
        queue={"checkout": 6, "catalog": 16, "recommendations": 8},
        boot_s={"checkout": 2.5, "catalog": 0.8, "recommendations": 0.7, "gateway": 0.25},
        machine={"processors": 2, "load": 0.5, "versions": {"PostgreSQL": "18.6", "etcd": "3.5.1 (/somewhere/etcd)"}},
    )
    text = system_file(found)
    assert "/somewhere" not in text, "a path of this machine is nobody's business"
    assert "18/s (checkout)" in text
    system = System.model_validate(yaml.safe_load(text)["system"])
    checkout = system.services["checkout"]
    assert (checkout.service_time.mean, checkout.service_time.cv) == (pytest.approx(0.0425), 0.5)
    assert (checkout.slots, checkout.queue, checkout.boot) == (2, 6, 2.5)
    assert system.services["catalog"].boot == pytest.approx(0.8)
    assert system.network.cross_region == pytest.approx(0.0012)
    assert system.providers["payments"].service_time.mean == pytest.approx(0.0612)
    assert system.databases["orders"].lag.mean == pytest.approx(0.005)


def test_own_work_is_the_whole_without_its_parts() -> None:
    from experiments.lab.calibrate import Measured

    own = Measured(0.1, 0.3).without(Measured(0.06, 0.4))
    assert own.mean_s == pytest.approx(0.04)
    assert own.cv == pytest.approx((0.03**2 - 0.024**2) ** 0.5 / 0.04)
    assert Measured(0.001, 0.1).without(Measured(0.002, 0.1)).mean_s > 0


def test_the_shipped_file_describes_this_lab() -> None:
    from experiments.lab.layout import INSTANCES, REGIONS, SERVICES, Layout
    from experiments.lab.services import catalog, checkout, recommendations

    system = System.model_validate(
        yaml.safe_load((ROOT / "scenarios/systems/lab-shop.yaml").read_text(encoding="utf-8"))["system"]
    )
    assert {name: region.zones for name, region in system.regions.items()} == {
        **{name: [Layout(10).zone(name)] for name in REGIONS},
        "witness": ["witness-1"],
    }
    for module in (catalog, checkout, recommendations):
        service = system.services[module.__name__.rpartition(".")[2]]
        assert (service.slots, service.queue) == (module.LIMITS.slots, module.LIMITS.queue)
        assert service.instances == dict.fromkeys(REGIONS, INSTANCES)
    assert set(system.services) == {*SERVICES, "gateway"}
    assert system.services["checkout"].calls[1].breaker is not None
    assert system.services["checkout"].calls[1].breaker.failures == checkout.BREAKER_FAILURES
    assert system.databases["orders"].staleness_limit == catalog.STALENESS_LIMIT_S
