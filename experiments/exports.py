"""A scenario as other tools read it: an experiment for the Chaos Toolkit command, a command line for Locust."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from experiments.compile import compiled
from experiments.helpers import LOCUSTFILE
from gameday.alerting.files import Export
from gameday.errors import BadInput, Problem
from gameday.scenario import read_scenario
from gameday.target import read_target


def chaostoolkit(scenario_file: Path, target_file: str, overrides: Sequence[str]) -> Export:
    """An experiment, as JSON; it names the scenario file, so overrides would be lost and are refused."""
    if overrides:
        message = "an experiment names the scenario file; write the change into the file"
        raise BadInput([Problem(None, None, None, "--set", "; ".join(overrides), message)])
    scenario, target = read_scenario(scenario_file), read_target(target_file)
    return Export(json.dumps(compiled(scenario, target, scenario_file), indent=2, ensure_ascii=False) + "\n")


def locust(scenario_file: Path, target_file: str, overrides: Sequence[str]) -> Export:
    """The command line that plays the scenario's load with Locust's own user interface; `--headless` plays it without."""
    read_scenario(scenario_file, overrides)
    target = read_target(target_file)
    page = ["--web-host", "127.0.0.1"]  # whoever reaches the page can send load
    parts = ["locust", "-f", str(LOCUSTFILE), *page, "--scenario", str(scenario_file.resolve()), "--target", target.file]
    return Export(shlex.join([*parts, *(["--overrides", ";".join(overrides)] if overrides else [])]) + "\n")
