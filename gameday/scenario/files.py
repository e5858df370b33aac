"""The text of a scenario file, or one plain sentence about why there is none. What is not an ordinary file is never opened."""

from __future__ import annotations

import stat
from pathlib import Path

from gameday.errors import BadInput, Problem, nearest

LARGEST_FILE_BYTES = 1024 * 1024
"""Files over 1 MiB are refused unread."""


def text_of(path: Path) -> str:
    """The text of a file; BadInput when it is no ordinary file, cannot be read, is too large, or is not text."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _whole_file(path, "is a directory, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise _whole_file(path, "is not an ordinary file")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except FileNotFoundError:
        raise _whole_file(path, "does not exist", _similar_file(path)) from None
    except PermissionError:
        raise _whole_file(path, "cannot be read: permission denied") from None
    except (OSError, ValueError) as error:
        raise _whole_file(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > LARGEST_FILE_BYTES:
        raise _whole_file(path, f"is larger than {LARGEST_FILE_BYTES} bytes (1 MiB), the limit for a scenario file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _whole_file(path, "is not a text file in UTF-8") from None
    if "\0" in text:
        raise _whole_file(path, "is not a text file in UTF-8")
    return text


def _whole_file(path: Path, message: str, suggestion: str | None = None) -> BadInput:
    return BadInput([Problem(str(path), None, None, "", None, message, suggestion)])


def _similar_file(path: Path) -> str | None:
    try:
        names = sorted(other.name for other in path.parent.iterdir())
    except OSError:
        return None
    name = nearest(path.name, names)
    return str(path.with_name(name)) if name else None
