"""Live days on plain processes: what they need beside the tests lies in this folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_lab import FakeLab, fake_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[FakeLab]:
    with fake_lab(tmp_path) as running:
        yield running
