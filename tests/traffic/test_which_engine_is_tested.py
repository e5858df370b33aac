"""The tests of this folder really run on both engines: the name in their id is the engine they play."""

from __future__ import annotations

import pytest

from sim.traffic.plain import PlainEngine
from tests.traffic.build import engine, entry, flow, plan, station


def test_a_test_plays_the_engine_its_id_names(request: pytest.FixtureRequest) -> None:
    played = engine(plan([station("s")], [entry()], [flow(1.0)]))
    assert isinstance(played, PlainEngine) == ("plain" in request.node.name)
