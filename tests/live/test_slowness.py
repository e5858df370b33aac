"""How a provider is made slow on a live day: by as much as its own work would have taken longer, and as unevenly."""

from __future__ import annotations

from math import sqrt
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import TypeAdapter

from experiments.system import SlowsWork
from gameday.scenario.times import ServiceTime
from gameday.selectors import Selector

PAYMENTS = Selector.parse("provider/payments")


@pytest.mark.parametrize(
    ("text", "latency_ms", "jitter_ms"),
    [
        ("constant 100ms", 300, 0),
        ("lognormal 100ms cv 0.4", 300, round(300 * 0.4 * sqrt(3))),
        ("exponential 100ms", 300, 300),
        ({"family": "empirical", "values": [0.06, 0.14]}, 300, round(120 * sqrt(3))),
    ],
)
def test_the_delay_scatters_as_the_work_would(
    text: Any, latency_ms: int, jitter_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    toxics: dict[str, dict[str, Any]] = {}

    def call(method: str, url: str, body: Any = None) -> Any:
        if method == "POST":
            toxics[body["name"]] = body
        elif method == "DELETE":
            del toxics[url.rpartition("/")[2]]
        return {"toxics": list(toxics.values())}

    monkeypatch.setattr("experiments.adapters.toxiproxy.call", call)
    provider = SimpleNamespace(service_time=TypeAdapter(ServiceTime).validate_python(text))
    inventory: Any = SimpleNamespace(
        relays=lambda _selector: (("http://127.0.0.1:1", "payments"),),
        scenario=SimpleNamespace(system=SimpleNamespace(providers={"payments": provider})),
    )
    system = SlowsWork.__new__(SlowsWork)
    system.inventory = inventory
    system.slow(PAYMENTS, 4.0)
    assert [each["attributes"] for each in toxics.values()] == [{"latency": latency_ms, "jitter": jitter_ms}]
    system.unslow(PAYMENTS, 4.0)
    assert not toxics
