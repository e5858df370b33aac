"""What has to be the same for the same numbers: the code, and what it computes with.

The rule that surprises: the version is not enough. Two checkouts of one version give different days when a line of the simulator differs, so
the source itself is part of it; and two processors may round a logarithm differently, so a few are computed and compared.
"""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gameday import __version__

CODE: Final = ("gameday", "sim")
"""Packages whose source makes the numbers of a simulated day."""


@cache
def code_digest() -> str:
    """SHA-256 of the source of the judge and of the simulator."""
    found = sha256()
    for package in CODE:
        spec = find_spec(package)
        for place in spec.submodule_search_locations or () if spec else ():
            for file in sorted(Path(place).rglob("*.py")):
                found.update(f"{package}/{file.relative_to(place).as_posix()}".encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def fingerprint() -> dict[str, str]:
    """Name to value of everything that has to be the same on two machines that play one study."""
    return {
        "gameday": __version__,
        "code": code_digest(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": _version("numpy"),
        "numba": _version("numba"),
        "arithmetic": _arithmetic(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _arithmetic() -> str:
    """Digest of functions whose last digit depends on the processor and its libraries."""
    import numpy as np

    x = np.linspace(1e-3, 30.0, 1001)
    return sha256(b"".join(function(x).tobytes() for function in (np.exp, np.log, np.sin, np.sqrt))).hexdigest()
