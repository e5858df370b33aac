"""A real lab, started once for the module that asks for it, and ended whatever happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.real import Lab, gameday, http, started, until


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of the module's own, asynchronous replication."""
    folder = tmp_path_factory.mktemp("lab")
    try:
        yield started(folder)
    finally:
        assert gameday("lab", "down", folder=folder).returncode == 0


@pytest.fixture
def healed(lab: Lab) -> Iterator[Lab]:
    """The module's lab, selling in both regions; afterwards every process runs, no toxic is left, names are answered.

    It is waited for, because on a machine that gives it no processor for the length of a lease the lab fails over by itself.
    """
    until(lambda: all(lab.buy(region).status == 201 for region in lab.target["entries"]), "the lab sells in both regions")
    yield lab
    for name, one in lab.supervisor("GET", "/processes").body.items():
        if one["share"] != 1.0:
            lab.supervisor("POST", f"/processes/{name}/throttle?share=1")
        if one["state"] != "running":
            lab.supervisor("POST", f"/processes/{name}/resume")
            lab.supervisor("POST", f"/processes/{name}/restart")
    http(lab.target["links"]["eu-1->eu-2"]["toxiproxy"]["api"] + "/reset", "POST")
    http(lab.target["dns"]["control"] + "/mend", "POST")
