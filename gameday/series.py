"""Indicators over time: named and labelled series, and their file (Parquet, or CSV for other tools).

The rule that surprises: a value that could not be had (no request in the window) is NaN, in CSV an empty cell; a moment
that was not looked at is simply not there. numpy and pyarrow are imported when a series is made, not before.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gameday.arrow import floats, numbers, positions, same_text, table
from gameday.atomic_files import cannot, write_atomically
from gameday.errors import BadInput, GamedayError, Problem, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_COLUMNS: Final = ("name", "labels", "t", "value")
_FORMAT: Final = {b"gameday.series": b"1"}
_ROWS_PER_GROUP: Final = 1 << 15
"""Rows that are written at once, so that the texts of all others need not be in memory; it grows a little by the next series."""


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Series:
    """One indicator: `values[i]` holds at `t[i]` seconds from the start of the run. The arrays are copies and read-only."""

    name: str
    labels: Mapping[str, str]
    t: NDArray[np.float64]
    values: NDArray[np.float64]

    def __init__(self, name: str, labels: Mapping[str, str], t: ArrayLike, values: ArrayLike) -> None:
        """`t` is finite and does not go back; `values` is as long as `t` and may hold NaN."""
        import numpy as np

        times, numbers = np.array(t, dtype=np.float64), np.array(values, dtype=np.float64)
        assert times.ndim == 1, f"{name}: times are a list, not {times.shape}"
        assert times.shape == numbers.shape, f"{name}: {len(times)} times and values of shape {numbers.shape}"
        assert bool(np.isfinite(times).all()), f"{name}: a time is finite"
        assert bool((np.diff(times) >= 0).all()), f"{name}: times do not go back"
        numbers[np.isnan(numbers)] = np.nan  # one of the many NaNs, so that the same series gives the same bytes
        times.flags.writeable = numbers.flags.writeable = False
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "labels", {key: labels[key] for key in sorted(labels)})
        object.__setattr__(self, "t", times)
        object.__setattr__(self, "values", numbers)

    def __len__(self) -> int:
        return len(self.t)

    def __eq__(self, other: object) -> bool:
        import numpy as np

        return (
            isinstance(other, Series)
            and (self.name, self.labels) == (other.name, other.labels)
            and np.array_equal(self.t, other.t)
            and np.array_equal(self.values, other.values, equal_nan=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        labels = ", ".join(f"{key}={value}" for key, value in self.labels.items())
        return f"<Series {self.name}{{{labels}}}: {len(self)} points>"

    def at(self, time_s: float) -> float:
        """The newest value at `time_s` or before; NaN before the first."""
        position = int(self.t.searchsorted(time_s, side="right"))
        return float(self.values[position - 1]) if position else float("nan")

    def between(self, start_s: float, end_s: float) -> Series:
        """The points with `start_s` <= t < `end_s`."""
        first, last = self.t.searchsorted((start_s, end_s), side="left")
        return Series(self.name, self.labels, self.t[first:last], self.values[first:last])


class SeriesSet:
    """The series of one run, in order of name and labels."""

    def __init__(self, series: Iterable[Series] = ()) -> None:
        self._series: dict[tuple[str, str], Series] = {}
        for one in series:
            self.add(one)

    def add(self, series: Series) -> None:
        """Take in a series that has at least one point, and whose name and labels are new."""
        assert len(series), f"{series!r}: a series without points cannot be told from one that is not there"
        key = (series.name, _label_text(series.labels))
        assert key not in self._series, f"{series!r} is there already"
        self._series[key] = series

    def __len__(self) -> int:
        return len(self._series)

    def __iter__(self) -> Iterator[Series]:
        return (self._series[key] for key in sorted(self._series))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SeriesSet) and self._series == other._series

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<SeriesSet: {len(self)} series>"

    def names(self) -> list[str]:
        """The names there are, each once."""
        return sorted({name for name, _ in self._series})

    def find(self, name: str, labels: Mapping[str, str] | None = None) -> list[Series]:
        """All series whose name fits the pattern `name` (`latency_*`) and which carry all of `labels`, and perhaps more."""
        wanted = (labels or {}).items()
        return [series for series in self if fnmatchcase(series.name, name) and wanted <= series.labels.items()]

    def one(self, name: str, labels: Mapping[str, str] | None = None) -> Series:
        """The only series that `find` finds; GamedayError when there is none or more than one."""
        found = self.find(name, labels)
        if len(found) == 1:
            return found[0]
        asked = f"{name}{{{', '.join(f'{key}={value}' for key, value in (labels or {}).items())}}}"
        if found:
            raise GamedayError(f"{len(found)} series fit {asked}: {', '.join(map(repr, found[:5]))}")
        near = nearest(name, self.names())
        raise GamedayError(f"no series fits {asked}" + (f"; did you mean {near}?" if near and near != name else ""))

    def write_parquet(self, path: Path) -> None:
        """Write all series as rows of (name, labels as JSON, t, value), whole or not at all; the same series, the same bytes."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema(
            [("name", pa.string()), ("labels", pa.string()), ("t", pa.float64()), ("value", pa.float64())], metadata=_FORMAT
        )
        buffer, waiting = io.BytesIO(), list[Any]()
        with pq.ParquetWriter(buffer, schema, compression="zstd", use_dictionary=["name", "labels"]) as writer:
            for one in self:
                text = _label_text(one.labels)
                columns = [same_text(one.name, len(one)), same_text(text, len(one)), floats(one.t), floats(one.values)]
                waiting.append(pa.RecordBatch.from_arrays(columns, schema=schema))
                if sum(map(len, waiting)) >= _ROWS_PER_GROUP:
                    writer.write_table(pa.Table.from_batches(waiting))
                    waiting.clear()
            writer.write_table(pa.Table.from_batches(waiting, schema=schema))
        write_atomically(path, buffer.getvalue())

    def write_csv(self, path: Path) -> None:
        """Write the same rows as CSV with a header line; numbers in their shortest exact form, NaN as an empty cell."""
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for one in self:
            labels = _label_text(one.labels)
            for time, value in zip(one.t.tolist(), one.values.tolist(), strict=True):
                writer.writerow((one.name, labels, repr(time), "" if value != value else repr(value)))  # noqa: PLR0124 - NaN
        write_atomically(path, buffer.getvalue().encode())


def read_series(path: Path) -> SeriesSet:
    """Read a Parquet file of series; its rows may come in any order. BadInput when it is none."""
    import pyarrow as pa

    try:
        rows = table(path.read_bytes(), repeated=("name", "labels"))
    except OSError as error:
        raise cannot("read", path, error) from error
    except pa.ArrowException as error:
        raise _bad(path, f"is not a Parquet file: {error}") from error
    missing = [column for column in _COLUMNS if column not in rows.column_names]
    if missing:
        raise _bad(path, f"lacks the columns {', '.join(missing)}")
    try:
        return SeriesSet(_series_of(rows))
    except (ValueError, TypeError, pa.ArrowException) as error:
        raise _bad(path, str(error)) from error


def _series_of(rows: Any) -> Iterator[Series]:
    """Group the rows of a pyarrow table by name and labels, each group in order of time."""
    import numpy as np

    times, values = numbers(rows.column("t")), numbers(rows.column("value"))
    if rows.column("name").null_count or rows.column("labels").null_count or not np.isfinite(times).all():
        raise ValueError("has rows without a name, labels or a time")
    (names, name_texts), (labels, label_texts) = positions(rows.column("name")), positions(rows.column("labels"))
    codes = names * max(len(label_texts), 1) + labels
    order = np.lexsort((times, codes))
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    for group in np.split(order, starts[1:]) if len(order) else []:
        text = label_texts[labels[group[0]]]
        decoded = json.loads(text)
        if not isinstance(decoded, dict) or not all(isinstance(value, str) for value in decoded.values()):
            raise ValueError(f"has labels that are not a JSON object of texts: {text[:60]}")
        yield Series(name_texts[names[group[0]]], decoded, times[group], values[group])


def _label_text(labels: Mapping[str, str]) -> str:
    return json.dumps(dict(labels), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _bad(path: Path, message: str) -> BadInput:
    return BadInput([Problem(str(path), None, None, "", None, message)])
