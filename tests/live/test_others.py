"""Other people's extensions and servers: activities of chaostoolkit-kubernetes, a real Prometheus, a real Alertmanager."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("chaoslib", reason="needs the live extra")

from fake_lab import FakeLab, free_port, write_scenario

from experiments.adapters.alertmanager import Alertmanager
from experiments.adapters.prometheus import Prometheus
from experiments.compile import compiled
from gameday.alerting.matchers import Matcher
from gameday.errors import GamedayError
from gameday.scenario import read_scenario
from gameday.target import read_target

FAULT = """fault: kill
      target: service/shop@a
      at: 2s
      for: 2s
      live:
        provider: {{type: python, module: chaosk8s.pod.actions, func: {function}, arguments: {{label_selector: app=shop, ns: shop}}}}
        rollback: {{type: process, path: kubectl, arguments: -n shop rollout restart deployment/shop}}"""


def test_a_fault_by_the_kubernetes_extension_is_valid_by_its_signatures(tmp_path: Path, lab: FakeLab) -> None:
    pytest.importorskip("chaosk8s", reason="needs chaostoolkit-kubernetes")
    from chaoslib.exceptions import InvalidActivity
    from chaoslib.experiment import ensure_experiment_is_valid

    def experiment(function: str) -> dict[str, object]:
        path = write_scenario(tmp_path, fault=FAULT.format(function=function))
        made = compiled(read_scenario(path), read_target(lab.target_file), path)
        made["rollbacks"][0]["provider"]["path"] = "true"  # there is no kubectl here
        return made

    ensure_experiment_is_valid(experiment("terminate_pods"))
    with pytest.raises(InvalidActivity):
        ensure_experiment_is_valid(experiment("terminate_planets"))


@contextmanager
def server(folder: Path, program: str, configuration: str, *options: str) -> Iterator[str]:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    file, port = folder / f"{program}.yml", free_port()
    file.write_text(configuration)
    command = [
        program,
        f"--config.file={file}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.path={folder / 'data'}",
        *options,
    ]
    command = [part.replace("--storage.path", "--storage.tsdb.path") if program == "prometheus" else part for part in command]
    with (folder / f"{program}.log").open("w") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.kill()
        running.wait(10)


def ready(one: Prometheus | Alertmanager) -> None:
    ends = time.monotonic() + 60
    while not one.ready():
        assert time.monotonic() < ends, "it did not start"
        time.sleep(0.1)


def test_prometheus_gives_numbers_and_no_data_is_none(tmp_path: Path) -> None:
    with server(tmp_path, "prometheus", "global: {scrape_interval: 1m}\n") as url:
        found = Prometheus(url)
        ready(found)
        assert found.value("vector(3) * 2") == 6.0
        assert found.value('up{job="nothing"}') is None
        assert found.value("vector(0) / 0") is None
        with pytest.raises(GamedayError):
            found.value("this is no query")
    assert not Prometheus(url).ready()


def test_alertmanager_is_silenced_and_spoken_to_again(tmp_path: Path) -> None:
    configuration = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
    with server(tmp_path, "prometheus-alertmanager", configuration, "--cluster.listen-address=") as url:
        found = Alertmanager(url)
        ready(found)
        silence = found.silence([Matcher("rule", "=", "x")], time.time(), time.time() + 3600, "a test")
        assert found.silences() == [silence]
        found.expire(silence)
        assert found.silences() == []
