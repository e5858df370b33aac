"""The kernel as machine code: found on disk or else compiled and kept there, loaded, made callable from Python.

The rule that surprises: a process that finds it never imports numba, which costs 80 MB and half a second. So nothing on
this side of the kernel may import a file that is part of it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

Play = Callable[[float], int]
"""The kernel on one arena; what it shall do lies in the header, the value goes with it."""

COMPILED = not int(os.environ.get("NUMBA_DISABLE_JIT") or 0)
"""False when NUMBA_DISABLE_JIT is set: the kernel then runs as Python on arrays, slowly and with every position checked."""

NAME = "gameday_kernel"
"""Of the function in the machine code: a method of Python's that takes one argument; the object it is bound to is the arena's address."""

ON_THIS_SIDE = frozenset(
    f"{name}.py"
    for name in (
        *("__init__", "arena", "building", "building_flows", "building_policies", "changing", "draws"),
        *("edging", "engine", "observing", "records", "tables", "watches"),
    )
)
"""Files of this folder that the kernel does not import: they may change without compiling it again."""
FROM_OUTSIDE = ("limiter.py", "marks.py", "noted.py", "plan.py")
"""Files of the folder above that it takes constants from."""
_TOLD_TO_NUMBA = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX", "NUMBA_OPT")
_CHECK_BYTES = 32


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel of this process."""

    bound_to: Callable[[npt.NDArray[np.int64], npt.NDArray[np.float64]], Play]
    """An arena, as integers and as floats."""
    compiled: bool
    """Whether this process had to compile it, because it was kept nowhere."""
    folder: Path | None
    """Where it is kept; None: nowhere, and every process compiles for itself."""


@cache
def load() -> Kernel:
    """The kernel, compiled if need be. ImportError if numba is missing, or needed and broken."""
    if not COMPILED:
        from sim.traffic.compiled.machine import serve

        return Kernel(lambda words, reals: partial(serve, words, reals), compiled=False, folder=None)
    kept = find()
    if kept is not None:
        folder, code = kept
        return Kernel(callable_from_python(code), compiled=False, folder=folder)
    from sim.traffic.compiled.jit import machine_code
    from sim.traffic.compiled.machine import serve

    code = machine_code(serve)
    return Kernel(callable_from_python(code), compiled=True, folder=_keep(code))


# On disk


def places() -> list[Path]:
    """Where it may be kept, best first: NUMBA_CACHE_DIR, the user's cache folder, the temporary one (if it is not somebody else's)."""
    found = [Path(os.environ["NUMBA_CACHE_DIR"])] if os.environ.get("NUMBA_CACHE_DIR") else []
    with suppress(RuntimeError):  # a user without a home
        found.append(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gameday")
    user = os.getuid() if hasattr(os, "getuid") else 0
    temporary = Path(tempfile.gettempdir()) / f"gameday-{user}"
    if not temporary.exists() or temporary.stat().st_uid == user:
        found.append(temporary)
    return found


def identity() -> str:
    """A digest of everything the machine code depends on: sources, compilers, interpreter, and the processor it is for."""
    from llvmlite import __version__, binding

    numba = find_spec("numba")
    if numba is None or numba.origin is None:
        raise ImportError("No module named 'numba'")
    here = Path(__file__).parent
    sources = sorted(each for each in here.glob("*.py") if each.name not in ON_THIS_SIDE)
    sources += [here.parent / name for name in FROM_OUTSIDE]
    sources.append(
        Path(numba.origin).with_name("_version.py")
    )  # asking the package's metadata takes longer than loading the kernel
    found = sha256()
    for source in sources:
        found.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    processor = (binding.get_process_triple(), binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())
    told = (os.environ.get(name) for name in _TOLD_TO_NUMBA)
    found.update(repr((__version__, sys.version, *processor, *told)).encode())
    return found.hexdigest()[:32]


def find() -> tuple[Path, bytes] | None:
    """The machine code for this processor, and the folder it is kept in; a damaged file is none."""
    name = f"kernel-{identity()}"
    for place in places():
        try:
            content = (place / name).read_bytes()
        except OSError:
            continue
        code, check = content[:-_CHECK_BYTES], content[-_CHECK_BYTES:]
        if sha256(code).digest() == check:
            return place, code
    return None


def _keep(code: bytes) -> Path | None:
    """Keep it in the first place that can be written to; who looks for it meanwhile finds all of it or nothing."""
    name = f"kernel-{identity()}"
    for place in places():
        unfinished = place / f"{name}.{os.urandom(8).hex()}"
        try:
            place.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(code + sha256(code).digest())
            unfinished.replace(place / name)
        except OSError:
            continue
        return place
    return None


# In memory


class _Method(ctypes.Structure):
    """Python's own description of a function in C (PyMethodDef)."""

    _fields_ = (("name", ctypes.c_char_p), ("code", ctypes.c_void_p), ("flags", ctypes.c_int), ("text", ctypes.c_char_p))


_TAKES_ONE_ARGUMENT = 8  # METH_O
_new_method = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_Method), ctypes.py_object, ctypes.py_object)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)


def callable_from_python(code: bytes) -> Callable[[npt.NDArray[np.int64], npt.NDArray[np.float64]], Play]:
    """Load machine code that `jit.machine_code` made; what is returned binds it to an arena."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_triple(binding.get_process_triple()).create_target_machine(jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    method = _Method(b"play", engine.get_function_address(NAME), _TAKES_ONE_ARGUMENT, None)

    def bound_to(words: npt.NDArray[np.int64], _reals: npt.NDArray[np.float64]) -> Play:
        # A method holds its module: here everything that must not go before it.
        play: Play = _new_method(ctypes.byref(method), words.ctypes.data, (engine, method, words))
        return play

    return bound_to
