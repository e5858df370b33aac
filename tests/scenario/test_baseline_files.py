"""The past that a baseline rule learns from, read from its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.errors import BadInput
from gameday.scenario import read_scenario

TEXT = (Path(__file__).parent.parent / "data" / "good.yaml").read_text(encoding="utf-8")


def test_the_past_of_a_baseline_is_read_from_its_file_and_a_wrong_column_is_told(tmp_path: Path) -> None:
    (tmp_path / "past.csv").write_text("timestamp,value\n" + "".join(f"{n},{n % 24}\n" for n in range(100)), encoding="utf-8")
    day = tmp_path / "day.yaml"
    start = "{file: past.csv, starts: '2026-02-02T00:00:00Z', interval: 1h, start_row: 2, rows: 48"
    rule = f"    odd: {{kind: baseline, on: class/checkout, indicator: request_rate, history: {start}}}}}\n    web-silent: {{kind"
    day.write_text(TEXT.replace("    web-silent: {kind", rule), encoding="utf-8")

    odd = read_scenario(day).monitoring.rules["odd"]
    assert odd.kind == "baseline"
    assert odd.history.values == [float(n % 24) for n in range(2, 50)]

    day.write_text(day.read_text(encoding="utf-8").replace("rows: 48", "rows: 48, column: valu"), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_scenario(day)
    assert [str(p).split(": ", 1)[1] for p in caught.value.problems] == [
        "monitoring.rules.odd.history.column: is not a column of past.csv (read 'valu'); did you mean 'value'?"
    ]
