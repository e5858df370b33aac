"""Every test of this folder that makes an engine runs once with each of the two."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.traffic import build

_ABOUT_BOTH = (
    "test_twins",
    "test_twins_go_back",
    "test_twins_of_many_rates",
    "test_twins_watch",
    "test_twins_tell",
    "test_choosing_an_engine",
    "test_loading_the_kernel",
    "test_oracles",
)
_ENGINES = ["plain", pytest.param("compiled", marks=pytest.mark.skipif(find_spec("numba") is None, reason="numba is missing"))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] not in _ABOUT_BOTH:
        metafunc.parametrize("engine_kind", _ENGINES, indirect=True)


@pytest.fixture(autouse=True)
def engine_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Autouse, so that it is set up although no test names it."""
    monkeypatch.setattr(build, "kind", getattr(request, "param", build.kind))
