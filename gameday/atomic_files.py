"""Writing a file whole or not at all: into a temporary file beside it, to the disk, then renamed.

The rule that surprises: a reader never meets half a file, and a crash leaves the old content, not an empty one.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from pathlib import Path

from gameday.errors import GamedayError

_WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "it is a folder",
    errno.EFBIG: "the file would be larger than allowed",
    errno.ENAMETOOLONG: "the name is too long",
}


_NUMBERS = itertools.count()
"""Makes the temporary names of one process differ; the process id does it between processes."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`, replacing what is there. GamedayError when the operating system refuses."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{next(_NUMBERS)}.tmp")
    try:
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise cannot("write", path, error) from error


def cannot(verb: str, path: Path, error: OSError) -> GamedayError:
    """What the operating system refused, as one sentence for the user."""
    reason = _WORDS.get(error.errno or 0, error.strerror or str(error))
    return GamedayError(f"cannot {verb} {path}: {reason}")


def _sync_folder(folder: Path) -> None:
    """Make the renaming survive a power failure; where folders cannot be opened or synced, it is as good as it gets."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
