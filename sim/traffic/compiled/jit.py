"""numba, met once: how functions of the kernel are compiled.

The rule that surprises: importing numba costs 80 MB and half a second, so only the kernel's own files import this,
and they are imported only where it has to be compiled (`native.py`).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any, TypeVar

# Where colorama is installed, numba lets it write an escape code to every terminal at exit, NO_COLOR or not.
os.environ.setdefault("NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING", "1")

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from sim.traffic.compiled.native import COMPILED, NAME
from sim.traffic.compiled.parts import PartCompiler, WholeLibrary, of_any_value

_Function = TypeVar("_Function", bound=Callable[..., Any])

Words = Any
"""The arena as a pointer to int64, positions counted in words. (Handing arrays over costs 3 to 35 times as much.)"""
Reals = Any
"""The same memory as float64."""


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


_CALLED_FROM_PYTHON = """
declare ptr @PyLong_AsVoidPtr(ptr)
declare double @PyFloat_AsDouble(ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare ptr @PyLong_FromLongLong(i64)
declare i32 @"{function}"(ptr, ptr, ptr, ptr, double)

define ptr @{name}(ptr %bound_to, ptr %argument) {{
  %answer = alloca i64
  %error = alloca ptr
  %arena = call ptr @PyLong_AsVoidPtr(ptr %bound_to)
  %value = call double @PyFloat_AsDouble(ptr %argument)
  %thread = call ptr @PyEval_SaveThread()
  %status = call i32 @"{function}"(ptr %answer, ptr %error, ptr %arena, ptr %arena, double %value)
  call void @PyEval_RestoreThread(ptr %thread)
  %number = load i64, ptr %answer
  %object = call ptr @PyLong_FromLongLong(i64 %number)
  %good = icmp eq i32 %status, 0
  %result = select i1 %good, ptr %object, ptr null
  ret ptr %result
}}
"""
"""A method of Python's around a function of numba's. Other threads play while it runs; a call costs a sixth of one through numba."""


def machine_code(function: Any) -> bytes:
    """The code of a part with the arguments (words, reals, value) that returns a number, and of all it calls, for `native`."""
    arguments = (types.CPointer(types.int64), types.CPointer(types.float64), types.float64)
    with global_compiler_lock:
        function.compile(arguments)
        lowered = function.overloads[arguments]
        around = _CALLED_FROM_PYTHON.format(name=NAME, function=lowered.fndesc.llvm_func_name)
        library = WholeLibrary(lowered.library.codegen, NAME)
        library.add_llvm_module(binding.parse_assembly(around))
        library.add_linking_library(lowered.library)
        library.finalize()
    return library.machine_code


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


def _nothing(_pointer: Any, _position: int) -> None:
    return


fetch = _fetch if COMPILED else _nothing
bits_of = _bits if COMPILED else _bits_in_python
lowest_bit = _lowest_bit if COMPILED else _lowest_bit_in_python
bit = part(_bit) if COMPILED else _bit_in_python
