"""A scenario written out completely, as a run folder holds it, is read back, accepted, and is the same game day."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.errors import BadInput
from gameday.scenario import digest, dump, read_scenario
from gameday.shipped import shipped_names, shipped_scenarios


@pytest.mark.parametrize("name", shipped_names())
def test_what_a_run_folder_holds_is_the_day_that_was_played(tmp_path: Path, name: str) -> None:
    scenario = read_scenario(shipped_scenarios() / f"{name}.yaml")
    complete = tmp_path / "scenario.yaml"
    complete.write_text(dump(scenario), encoding="utf-8")
    assert digest(read_scenario(complete)) == digest(scenario)


def test_a_breaker_setting_that_changes_nothing_is_still_refused(tmp_path: Path) -> None:
    text = dump(read_scenario(shipped_scenarios() / "primary-loss.yaml"))
    assert text.count("window: 100\n") == 1, "the breaker's window, at its default"
    changed = tmp_path / "scenario.yaml"
    changed.write_text(text.replace("window: 100\n", "window: 40\n"), encoding="utf-8")
    with pytest.raises(BadInput, match="window: has no effect without a failure_ratio"):
        read_scenario(changed)
