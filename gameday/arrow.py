"""Arrow columns from numpy's own memory and back, and tables from Parquet files.

The rule that surprises: pyarrow's converters and `read_table` import pandas first wherever it is installed, which takes longer than a short
run, and as much memory. From buffers and from a ParquetFile they do not.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

# pyarrow's own allocator keeps all it ever had, which is more than a whole run holds. It reads this when it is imported.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def floats(values: NDArray[np.float64], missing: NDArray[np.bool_] | None = None) -> Any:
    """A column of float64; null where `missing`."""
    import numpy as np
    import pyarrow as pa

    there = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.float64(), len(values), [there, pa.py_buffer(values)])


def integers(values: NDArray[np.int64]) -> Any:
    """A column of int64."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def same_text(text: str, count: int) -> Any:
    """A column of one text, `count` times."""
    import numpy as np
    import pyarrow as pa

    content = text.encode()
    ends = np.arange(count + 1, dtype=np.int32) * np.int32(len(content))
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(ends), pa.py_buffer(content * count)])


def table(content: bytes, repeated: Sequence[str] = ()) -> Any:
    """The table in the content of a Parquet file; columns of texts that repeat themselves are kept as positions in a dictionary."""
    import pyarrow.parquet as pq

    return pq.ParquetFile(io.BytesIO(content), read_dictionary=list(repeated)).read(use_threads=False)


def numbers(column: Any) -> NDArray[np.float64]:
    """A column of numbers as float64; NaN where it is null."""
    import numpy as np
    import pyarrow as pa

    found = _in_one_piece(column, pa.float64())
    there, content = found.buffers()
    values = np.array(np.frombuffer(content or b"", dtype=np.float64)[found.offset : found.offset + len(found)])
    if there is not None:
        bits = np.unpackbits(np.frombuffer(there, dtype=np.uint8), bitorder="little")
        values[bits[found.offset : found.offset + len(found)] == 0] = np.nan
    return values


def positions(column: Any) -> tuple[NDArray[np.int64], list[Any]]:
    """A column of texts without a null as positions in a list of those there are."""
    import numpy as np
    import pyarrow as pa

    found = _in_one_piece(column, pa.dictionary(pa.int64(), pa.string()))
    _, content = found.indices.buffers()
    return np.frombuffer(content or b"", dtype=np.int64)[found.offset : found.offset + len(found)], found.dictionary.to_pylist()


def _in_one_piece(column: Any, kind: Any) -> Any:
    return column.cast(kind).combine_chunks()
