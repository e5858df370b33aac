"""Where the scenarios are that come with gameday: in a wheel beside the code, in a checkout in `scenarios/`."""

from __future__ import annotations

from pathlib import Path


def shipped_scenarios() -> Path:
    """The folder of shipped scenarios."""
    packaged = Path(__file__).parent / "shipped_scenarios"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "scenarios"


def shipped_names() -> list[str]:
    """Names of the shipped game days."""
    return sorted(path.stem for path in shipped_scenarios().glob("*.yaml"))
