"""numba, met once: how functions of the kernel are compiled, and where the result is kept.

The rule that surprises: numba notices a change of the file that holds the entry function only, not of those it calls. So the cache
lies in a folder named after a digest of all kernel files, and an old kernel can never be taken for a new one.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

# Where colorama is installed, numba lets it write an escape code to every terminal at exit, NO_COLOR or not.
os.environ.setdefault("NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING", "1")

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sim.traffic.compiled.parts import EntryCompiler, PartCompiler, of_any_value

_Function = TypeVar("_Function", bound=Callable[..., Any])

Words = Any
"""The arena as int64, positions counted in words."""
Reals = Any
"""The same memory as float64."""

COMPILED = not numba.config.DISABLE_JIT
"""False when NUMBA_DISABLE_JIT is set: the kernel then runs as Python on arrays, slowly and with every position checked."""


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


_AROUND_THE_KERNEL = ("engine.py", "observing.py")
"""Files that the kernel does not import: they may change without compiling it again."""


def _digest() -> str:
    sources = sorted(each for each in Path(__file__).parent.glob("*.py") if each.name not in _AROUND_THE_KERNEL)
    return sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def cache_folder() -> Path | None:
    """The first of these places that can be written to: NUMBA_CACHE_DIR, the user's cache folder, the temporary one."""
    places = [Path(os.environ["NUMBA_CACHE_DIR"])] if os.environ.get("NUMBA_CACHE_DIR") else []
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        places.append(home / "gameday")
    except RuntimeError:  # a user without a home
        pass
    user = os.getuid() if hasattr(os, "getuid") else "user"
    places.append(Path(tempfile.gettempdir()) / f"gameday-{user}")
    name = f"kernel-{_digest()}"
    return next((place / name for place in places if _writable(place / name)), None)


CACHE = cache_folder() if COMPILED else None
"""Where compiled code is kept; None: nowhere, and every process compiles for itself."""


def kernel(function: _Function) -> _Function:
    """Compile a function of the kernel for the others to call."""
    return _within(function, forceinline=False)


def part(function: _Function) -> _Function:
    """Compile a function of the kernel into each of its callers: for what is called in one place, or is tiny."""
    return _within(function, forceinline=True)


def _within(function: _Function, *, forceinline: bool) -> _Function:
    if not COMPILED:
        return function
    compiled: _Function = numba.njit(
        error_model="numpy",
        nogil=True,
        forceinline=forceinline,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        pipeline_class=PartCompiler,
    )(function)
    of_any_value(compiled)
    return compiled


def entry(function: _Function) -> _Function:
    """Compile a function that Python calls, and keep the result on disk where possible."""
    if CACHE is None:
        return _uncached(function)
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(CACHE)
    try:
        compiled: _Function = numba.njit(error_model="numpy", nogil=True, cache=True, pipeline_class=EntryCompiler)(function)
    except RuntimeError:  # numba finds no way to keep it after all
        return _uncached(function)
    finally:
        numba.config.CACHE_DIR = before
    return compiled


def _uncached(function: _Function) -> _Function:
    compiled: _Function = numba.njit(error_model="numpy", nogil=True, pipeline_class=EntryCompiler)(function)
    return compiled


def _pointer_to(element: types.Type) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def pointer(_typing: Any, array: types.Array) -> Any:
        signature = types.CPointer(element)(array)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            record = cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0])
            return builder.bitcast(record.data, context.get_value_type(signature.return_type))

        return signature, generate

    return pointer


@intrinsic  # type: ignore[untyped-decorator]
def _fetch(_typing: Any, pointer: types.CPointer, position: types.Integer) -> Any:
    """Tell the processor that a word will be wanted soon."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        at = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        shape = ir.FunctionType(ir.VoidType(), [at.type, number, number, number])
        prefetch = cgutils.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0")
        builder.call(prefetch, [at, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(pointer, position), generate


@intrinsic  # type: ignore[untyped-decorator]
def _bits(_typing: Any, real: types.Float) -> Any:
    """The bits of a float64 as an int64."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(real), generate


def _bits_in_python(real: float) -> int:
    bits: int = struct.unpack("<q", struct.pack("<d", real))[0]
    return bits


@intrinsic  # type: ignore[untyped-decorator]
def _lowest_bit(_typing: Any, number: types.Integer) -> Any:
    """The number of zeros behind the last one of an int64, which has a one."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(number), generate


def _lowest_bit_in_python(number: int) -> int:
    unsigned = int(number) & (2**64 - 1)
    return (unsigned & -unsigned).bit_length() - 1


def _bit(number: int) -> int:
    return 1 << number


def _bit_in_python(number: int) -> Any:
    return np.int64(1) << np.int64(number)


def _itself(array: Any) -> Any:
    return array


def _nothing(_pointer: Any, _position: int) -> None:
    return


# Handing arrays to helper functions costs 3 to 35 times as much as handing them raw pointers (reference counts).
words_of = _pointer_to(types.int64) if COMPILED else _itself
reals_of = _pointer_to(types.float64) if COMPILED else _itself
fetch = _fetch if COMPILED else _nothing
bits_of = _bits if COMPILED else _bits_in_python
lowest_bit = _lowest_bit if COMPILED else _lowest_bit_in_python
bit = part(_bit) if COMPILED else _bit_in_python
