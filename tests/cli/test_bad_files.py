"""Files that are no scenarios, some of them made to hurt: exit code 2, one line a problem, at once, and never a traceback."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import LONGEST_S, QUICK, command, environment

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
LONGEST_CPU_S = 5.0
"""A file that hurts takes minutes or all memory; starting Python on a slow machine takes some tenths of a second."""
MEMORY_BYTES = 1 << 30


def write(path: Path, content: bytes | str) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def changed(old: str, new: str) -> Callable[[Path], None]:
    """The quick scenario with one thing changed."""
    text = QUICK.read_text(encoding="utf-8")
    assert old in text
    return lambda path: write(path, text.replace(old, new, 1))


def text(content: bytes | str) -> Callable[[Path], None]:
    """A file with this content."""
    return lambda path: write(path, content)


def replaying(rate: str, csv: bytes | None) -> Callable[[Path], None]:
    """The quick scenario with its load replayed from a file."""

    def make(path: Path) -> None:
        changed("rate: 10/s", f"rate: {{shape: replay, {rate}}}")(path)
        if csv is not None:
            write(path.with_name("counts.csv"), csv)

    return make


def ring(path: Path) -> None:
    """Three files that include each other."""
    for name, included in (("day.yaml", "b.yaml"), ("b.yaml", "c.yaml"), ("c.yaml", "day.yaml")):
        write(path.with_name(name), f"include: [{included}]\n")


def endless_link(path: Path) -> None:
    path.symlink_to(path.name)


def many_parts(path: Path) -> None:
    """Each file includes the next one ten times."""
    write(path, f"gameday: 1\ninclude: [{', '.join(['p0.yaml'] * 10)}]\n")
    for n in range(6):
        write(path.with_name(f"p{n}.yaml"), f"include: [{', '.join([f'p{n + 1}.yaml'] * 10)}]\n")
    write(path.with_name("p6.yaml"), "load: {}\n")


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bomb of aliases": (text(BOMB), "day.yaml: holds more than 100000 values, counting what aliases stand for"),
    "an alias to itself": (text("a: &a [*a]\n"), "day.yaml:1:8: alias '*a' stands inside what it stands for"),
    "ten megabytes": (text("# " + "x" * 10_000_000), "day.yaml: is larger than 1048576 bytes (1 MiB)"),
    "a deep nest": (text("a: " + "[" * 100_000), "day.yaml:1:53: is nested more than 50 deep"),
    "a tab": (text("gameday: 1\nsystem:\n\tregions: {}\n"), "day.yaml:3:1: this line is indented with a tab"),
    "a key twice": (
        changed("duration: 4m", "duration: 4m\nduration: 5m"),
        "day.yaml:10:1: duration: this key is already there, in line 9",
    ),
    "binary": (text(bytes(range(256))), "day.yaml: is not a text file in UTF-8"),
    "UTF-16": (text("gameday: 1\n".encode("utf-16")), "day.yaml: is not a text file in UTF-8"),
    "a null byte": (text("gameday: 1\0\n"), "day.yaml: is not a text file in UTF-8"),
    "a control character": (
        text("gameday: 1\nname: a\x1b[31mb\n"),
        "day.yaml:2:8: holds the character U+001B, which YAML does not allow",
    ),
    "nothing": (text(""), "day.yaml: is empty"),
    "comments only": (text("# nothing\n"), "day.yaml: is empty"),
    "a list": (text("- a\n- b\n"), "day.yaml:1:1: must be a mapping (key: value) at the top"),
    "two documents": (text("gameday: 1\n---\ngameday: 1\n"), "day.yaml:2:1: holds more than one document"),
    "a Python object": (
        text("gameday: !!python/object/apply:os.system ['id']\n"),
        "day.yaml:1:10: gameday: YAML tags ('!...') are not supported",
    ),
    "an open bracket": (text("gameday: [1\n"), "day.yaml:2:1: is not valid YAML"),
    "a folder": (Path.mkdir, "day.yaml: is a directory, not a file"),
    "a pipe": (os.mkfifo, "day.yaml: is not an ordinary file"),
    "a link to itself": (endless_link, "day.yaml: cannot be read: Too many levels of symbolic links"),
    "no file": (lambda path: write(path.with_name("dya.yaml"), ""), "day.yaml: does not exist; did you mean 'dya.yaml'?"),
    "a ring of includes": (ring, "c.yaml:1:11: include.0: the file includes itself: day.yaml -> b.yaml -> c.yaml -> day.yaml"),
    "a bomb of includes": (many_parts, "include.6: more than 100 files are included"),
    "an include that is not there": (
        lambda path: write(path, "include: [systems/shp.yaml]\n"),
        "day.yaml:1:11: include.0: there is no such file in",
    ),
    "an include of a pipe": (
        lambda path: (os.mkfifo(path.with_name("pipe.yaml")), write(path, "include: [pipe.yaml]\n")),
        "day.yaml:1:11: include.0: there is no such file in",
    ),
    "a huge number": (
        changed("slots: 4", "slots: " + "9" * 200_000),
        "slots: must be a number of at most 100 digits (read '9999",
    ),
    "a number beyond all": (changed("slots: 4", "slots: 1e999"), "slots: must be a finite number (read '1e999')"),
    "a name of a megabyte": (changed("name: quick", "name: " + "a" * 900_000), "day.yaml:4:7: name: must be"),
    "a replay of nothing": (replaying("file: counts.csv", b""), "column: is not a column of counts.csv"),
    "a replay without its file": (
        replaying("file: counts.csv", None),
        "file: cannot be read: does not exist (read 'counts.csv')",
    ),
    "a replay of words": (
        replaying("file: counts.csv", b"value\n3\nthree\n"),
        "counts.csv row 3 holds no number in column value (read 'three')",
    ),
    "a replay of less than nothing": (
        replaying("file: counts.csv", b"value\n3\n-1\n"),
        "counts.csv row 3 holds -1, and a count is",
    ),
    "a replay of nan": (replaying("file: counts.csv", b"value\n3\nnan\n"), "counts.csv row 3 holds nan, and a count is"),
    "a replay from a word": (replaying("file: counts.csv, start_row: two", b"value\n3\n"), "start_row: must be a whole number"),
    "a replay of a word of rows": (replaying("file: counts.csv, rows: two", b"value\n3\n"), "rows: must be a whole number"),
    "a replay from before the start": (
        replaying("file: counts.csv, start_row: -1", b"value\n3\n"),
        "start_row: must be a whole number",
    ),
    "a replay of a column that is a list": (replaying("file: counts.csv, column: [a]", b"value\n3\n"), "column: must be text"),
    "a replay of an endless field": (
        replaying("file: counts.csv", b'value\n"' + b"1" * 200_000 + b'"\n'),
        "counts.csv: field larger than",
    ),
    "a replay of another folder": (replaying("file: .", None), "file: cannot be read: is a directory, not a file"),
}


def limit() -> None:
    """What hurts is stopped; the message would then be another one."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(LONGEST_CPU_S), int(LONGEST_CPU_S)))
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY_BYTES, 4 * MEMORY_BYTES))


def ended(verb: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command that may use little time and memory."""
    return subprocess.run(
        command(verb, *arguments),
        cwd=folder,
        env=environment(OPENBLAS_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
        preexec_fn=limit,
    )


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_named_with_its_line_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    make, said = FILES[name]
    make(tmp_path / "day.yaml")
    before = sorted(path.name for path in tmp_path.iterdir())
    run = ended("run", "day.yaml", folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr) < 20_000
    assert all(line.split(":")[0].endswith(".yaml") for line in run.stderr.splitlines()), "one line a problem"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_validate_tells_all_of_them_at_once(tmp_path: Path) -> None:
    files = []
    for number, (make, _) in enumerate(FILES.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        make(folder / "day.yaml")
        files += [f"{number}/day.yaml"] if not (folder / "day.yaml").is_dir() else []
    checked = ended("validate", *files, folder=tmp_path)
    assert checked.returncode == 2
    lines = checked.stdout.splitlines()
    for number, (_, said) in enumerate(FILES.values()):
        if f"{number}/day.yaml" in files:
            words = (
                said.replace("day.yaml:", f"{number}/day.yaml:")
                .replace("c.yaml:", f"{number}/c.yaml:")
                .replace("'dya", f"'{number}/dya")
            )
            assert any(line.startswith(f"{number}/") and words in line for line in lines), words
    assert checked.stderr.endswith(f" in {len(files)} of {len(files)} files\n")
