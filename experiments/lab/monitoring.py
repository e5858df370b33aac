"""Prometheus and Alertmanager of the lab, where their programs are installed; rules and routes are handed in, scraping is the lab's.

The rule that surprises: nothing is checked here. `promtool` and `amtool` know the languages, so what they say is what the caller is told.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from experiments.lab.layout import (
    ALERTMANAGER_PORT,
    GATEWAY_ADMIN_PORT,
    PATRONI_PORT,
    PAYMENTS_PORT,
    PROMETHEUS_PORT,
    REGIONS,
    Layout,
)
from experiments.lab.plan import Process
from gameday.errors import GamedayError

NAMES: Final = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "amtool": ("amtool",),
}
"""Programs and what distributions call them."""
CHECKED_WITHIN_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The two processes and where they answer."""

    processes: list[Process]
    prometheus: str
    alertmanager: str


def plan_monitoring(layout: Layout, data: Path, rules: str, alertmanager: str, scrape_s: int) -> Monitoring:
    """Write and check the configuration. GamedayError when a program is missing or a file is refused, in the checker's words."""
    found = {name: next(filter(None, map(shutil.which, names)), None) for name, names in NAMES.items()}
    if missing := [name for name, place in found.items() if place is None]:
        raise GamedayError(f"monitoring needs {', '.join(missing)} on the PATH (Debian: prometheus, prometheus-alertmanager)")
    programs = {name: place for name, place in found.items() if place is not None}
    folders = {name: data / name for name in ("prometheus", "alertmanager")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    files = {
        folders["prometheus"] / "rules.yml": rules,
        folders["alertmanager"] / "alertmanager.yml": alertmanager,
        folders["prometheus"] / "prometheus.yml": json.dumps(prometheus_config(layout, scrape_s), indent=2),  # JSON is YAML
    }
    for file, text in files.items():
        file.write_text(text, encoding="utf-8")
    _check([programs["promtool"], "check", "config", str(folders["prometheus"] / "prometheus.yml")])
    _check([programs["amtool"], "check-config", str(folders["alertmanager"] / "alertmanager.yml")])
    node = layout.monitoring
    prometheus, alerts = f"http://{node}:{PROMETHEUS_PORT}", f"http://{node}:{ALERTMANAGER_PORT}"
    first = [
        programs["prometheus"],
        f"--config.file={folders['prometheus']}/prometheus.yml",
        f"--storage.tsdb.path={folders['prometheus']}/series",
        f"--web.listen-address={node}:{PROMETHEUS_PORT}",
        "--log.level=warn",
    ]
    second = [
        programs["alertmanager"],
        f"--config.file={folders['alertmanager']}/alertmanager.yml",
        f"--storage.path={folders['alertmanager']}/state",
        f"--web.listen-address={node}:{ALERTMANAGER_PORT}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    return Monitoring(
        [
            Process("prometheus", node, first, folders["prometheus"], f"{prometheus}/-/ready"),
            Process("alertmanager", node, second, folders["alertmanager"], f"{alerts}/-/ready"),
        ],
        prometheus,
        alerts,
    )


def prometheus_config(layout: Layout, scrape_s: int) -> dict[str, Any]:
    """Scrape gateways, services, provider and Patroni; every series says its region and its process."""
    jobs: dict[str, list[dict[str, Any]]] = {}

    def add(job: str, host: str, port: int, region: str, process: str) -> None:
        labels = {"region": region, "process": process}
        jobs.setdefault(job, []).append({"targets": [f"{host}:{port}"], "labels": labels})

    for region in REGIONS:
        add("gateway", layout.gateway(region), GATEWAY_ADMIN_PORT, region, f"gateway-{region}")
        add("database", layout.database(region), PATRONI_PORT, region, f"patroni-{layout.zone(region)}")
    for one in layout.all_instances():
        add(one.service, one.host, one.port, one.region, one.name)
    add("payments", layout.payments, PAYMENTS_PORT, "outside", "payments")
    every = f"{scrape_s}s"
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every, "scrape_timeout": every},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{layout.monitoring}:{ALERTMANAGER_PORT}"]}]}]},
        "scrape_configs": [
            {
                "job_name": job,
                "metrics_path": "/stats/prometheus" if job == "gateway" else "/metrics",
                "static_configs": targets,
            }
            for job, targets in jobs.items()
        ],
    }


def _check(command: list[str]) -> None:
    try:
        ended = subprocess.run(  # noqa: S603 - the checkers of Prometheus, no shell
            command, capture_output=True, text=True, timeout=CHECKED_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GamedayError(f"{command[0]} does not run here: {error}") from error
    if ended.returncode:
        said = " ".join((ended.stderr or ended.stdout).split())
        raise GamedayError(f"{Path(command[0]).name} refuses {Path(command[-1]).name}: {said[:600]}")
