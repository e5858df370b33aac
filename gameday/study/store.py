"""The folder of a study: what was played, as it came, safe against any end.

The rule that surprises: rows are written in small parts, each whole or not at all; a study that was killed is continued from them, and rows
of another scenario, seed or build are never taken for rows of this one: the folder is refused.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gameday.atomic_files import cannot, write_atomically
from gameday.errors import GamedayError
from gameday.scores.kpis import KPIS
from gameday.scores.samples import as_number
from gameday.study.unavailability import COLUMNS, Share

if TYPE_CHECKING:
    from gameday.scores import ReplicationScores
    from gameday.study.design import Point

SCHEMA: Final = 1
RECORD: Final = "study.json"
TABLE: Final = "replications.parquet"
PARTS: Final = "parts"
DICTIONARY: Final = "columns.md"
MOST_PARTS: Final = 200
"""Parts after which they are put together."""

Row = dict[str, Any]

KEYS: Final = {
    "point": "number of the point in the design, from 0",
    "replication": "number of the replication, from 0; the same number is the same day at every point",
    "seed": "root of all randomness",
    "scenario_sha256": "digest of the scenario of the point",
    "version": "version of gameday, and digest of its code and of the simulator's",
    "grade": "grade of the replication: P, S, M, U or UNKNOWN",
    "hard_failures": "KPIs that failed hard, separated by blanks",
    "lost_requests": "requests lost in the judged time",
    "lost_money": "money lost with them",
    "price": "what the point costs; null where no factor has a price",
    **COLUMNS,
}
"""Columns that are neither factors nor KPIs."""


@dataclass(slots=True)
class Store:
    """The rows of one study, on the disk and in memory."""

    folder: Path
    identity: Mapping[str, Any]
    rows: dict[tuple[int, int], Row] = field(default_factory=dict)
    """By point and replication."""
    _waiting: list[Row] = field(default_factory=list)
    _parts: int = 0
    _index: dict[int, list[Row]] = field(default_factory=dict)
    _indexed: int = 0

    @classmethod
    def create(cls, folder: Path, identity: Mapping[str, Any], *, resume: bool) -> Store:
        """Make the folder, or read what is in it. GamedayError when it holds something else, or rows of other settings."""
        record = folder / RECORD
        if not record.is_file() or not (resume or _holds_rows(folder)):  # a study whose first point was refused leaves no rows
            if not record.is_file() and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise GamedayError(f"cannot write the study to {folder}: it holds files and is no study; name another with --out")
            try:
                (folder / PARTS).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise cannot("create", folder, error) from error
            store = cls(folder, identity)
            store._write_record()
            return store
        if not resume:
            raise GamedayError(f"{folder} holds a study already: --resume continues it, --out names another folder")
        store = cls.open(folder, identity)
        store._write_record()  # what is asked of the same rows may have changed
        return store

    @classmethod
    def open(cls, folder: Path, identity: Mapping[str, Any] | None = None) -> Store:
        """Read a study's folder. GamedayError when there is none, or when it is not what `identity` says."""
        found = read_record(folder)
        if identity is not None:
            differing = [name for name in identity if name != "file" and found.get(name) != identity[name]]
            if differing:
                why = ", ".join(f"{name} {str(found.get(name))[:12]} there, {str(identity[name])[:12]} now" for name in differing)
                raise GamedayError(
                    f"{folder} was made from something else ({why}): rows are never mixed; name another folder with --out"
                )
        store = cls(folder, identity or found)
        store._read()
        return store

    def add(self, row: Row) -> None:
        """Take in a row; it is safe after `flush`."""
        self.rows[row["point"], row["replication"]] = row
        self._waiting.append(row)

    def flush(self) -> None:
        """Write what is new as a part."""
        if self._waiting:
            write_atomically(self.folder / PARTS / f"{self._parts:06d}.parquet", _bytes(self._waiting))
            self._parts += 1
            self._waiting = []
            if self._parts > MOST_PARTS:
                self.finish()

    def finish(self) -> None:
        """One table of everything, and the dictionary of its columns; the parts go."""
        self._waiting = []  # they are in the table that is written now
        if not self.rows:
            return
        ordered = [self.rows[key] for key in sorted(self.rows)]
        write_atomically(self.folder / TABLE, _bytes(ordered))
        write_atomically(self.folder / DICTIONARY, dictionary(ordered[0]).encode())
        for part in sorted((self.folder / PARTS).glob("*.parquet")):
            part.unlink()
        self._parts = 0

    def of_point(self, number: int) -> list[Row]:
        """The rows of a point, by replication."""
        if self._indexed != len(self.rows):
            # Once a round, not once a point: a study of a million rows has thousands of points.
            self._index = {}
            for key in sorted(self.rows):
                self._index.setdefault(key[0], []).append(self.rows[key])
            self._indexed = len(self.rows)
        return self._index.get(number, [])

    def _write_record(self) -> None:
        write_atomically(self.folder / RECORD, (json.dumps({"schema": SCHEMA, **self.identity}, indent=2) + "\n").encode())

    def _read(self) -> None:
        import pyarrow.parquet as pq

        parts = sorted((self.folder / PARTS).glob("*.parquet"))
        for file in [self.folder / TABLE, *parts]:
            if file.is_file():
                for row in pq.read_table(file).to_pylist():
                    self.rows[row["point"], row["replication"]] = row
        self._parts = 1 + max((int(part.stem) for part in parts if part.stem.isdigit()), default=-1)


def _holds_rows(folder: Path) -> bool:
    return (folder / TABLE).is_file() or any((folder / PARTS).glob("*.parquet"))


def read_record(folder: Path) -> dict[str, Any]:
    """What `study.json` says. GamedayError when it is not there or broken."""
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if found["schema"] != SCHEMA:
            raise GamedayError(f"{folder / RECORD} has schema {found['schema']}; this version reads {SCHEMA}")
    except OSError as error:
        raise GamedayError(f"{folder} is no folder of a study: it lacks {RECORD}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise GamedayError(f"{folder / RECORD} cannot be read: it is not the JSON of a study") from error
    record: dict[str, Any] = found
    return record


def row_of(point: Point, scores: ReplicationScores, identity: Mapping[str, Any], sha256: str, down: Share) -> Row:
    """One replication as a row; `down` is the unavailability of the point. A KPI is null where it did not apply, NaN where it could not be judged, infinite for never."""
    values = {result.kpi: as_number(result) for result in scores.results}
    return {
        "point": point.number,
        "replication": scores.replication,
        "seed": identity["seed"],
        "scenario_sha256": sha256,
        "version": f"{identity['version']}+{identity['code_sha256'][:12]}",
        **{f"factor.{name}": level for name, level in point.levels.items()},
        "price": point.price,
        **down,
        "grade": str(scores.grade),
        "hard_failures": " ".join(result.kpi for result in scores.hard_failures),
        "lost_requests": scores.lost_requests,
        "lost_money": scores.lost_money,
        **{kpi: None if (value := values.get(kpi, float("nan"))) == float("-inf") else value for kpi in KPIS},
    }


def _bytes(rows: Iterable[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    listed = list(rows)
    types = {"point": pa.int64(), "replication": pa.int64(), "seed": pa.uint64()}
    texts = {"scenario_sha256", "version", "grade", "hard_failures"}
    schema = pa.schema(
        [
            (name, types.get(name) or (pa.string() if name in texts or name.startswith("factor.") else pa.float64()))
            for name in listed[0]
        ]
    )
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(listed, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def dictionary(row: Row) -> str:
    """What each column means."""
    lines = [
        "# Columns of replications.parquet",
        "",
        "One row per replication.",
        "",
        "| column | unit | meaning |",
        "|---|---|---|",
    ]
    for name in row:
        if name.startswith("factor."):
            lines.append(f"| `{name}` | as written | value of the factor at this point |")
        elif name in KPIS:
            kpi = KPIS[name]
            title = kpi.title[0].upper() + kpi.title[1:]
            lines.append(
                f"| `{name}` | {kpi.unit} | {title}. Null: did not apply; NaN: could not be judged; inf: never happened |"
            )
        else:
            lines.append(f"| `{name}` | | {KEYS[name]} |")
    return "\n".join(lines) + "\n"
