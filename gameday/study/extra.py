"""What studies need beyond the core."""

from __future__ import annotations

from importlib.util import find_spec

from gameday.errors import MissingExtra


def needs_analysis(purpose: str = "this design") -> None:
    """MissingExtra unless scipy, SALib and Optuna are installed."""
    if any(find_spec(name) is None for name in ("scipy", "SALib", "optuna")):
        raise MissingExtra(purpose, "analysis")
