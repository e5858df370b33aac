"""Arrow columns from numpy's own memory.

The rule that surprises: pyarrow's converters import pandas first wherever it is installed, which takes longer than a short run. From buffers they do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
