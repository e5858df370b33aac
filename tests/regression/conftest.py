"""The command line, as the tests of the commands meet it."""

from __future__ import annotations

from tests.cli.conftest import finished_run, gameday, start

__all__ = ["finished_run", "gameday", "start"]
