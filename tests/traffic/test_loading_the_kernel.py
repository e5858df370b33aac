"""Where the machine code of the kernel is kept, when it is not taken, and that who finds it does without numba."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("numba")
from llvmlite import binding

from sim.traffic.compiled import native

FOLDER = Path(native.__file__).parent
PLAY = """
import sys
from sim.streams import Streams
from sim.traffic.engines import _SMALLEST, is_cold, make_engine, warm_up

print("cold" if is_cold() else "warm")
run = make_engine(_SMALLEST, Streams(1))
run.advance(100.0)
print(sum(run.observe().offered), type(run).__name__, warm_up().compiled)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"numba", "scipy", "llvmlite"}))
"""


def _play(**environment: str) -> list[str]:
    """What a process that plays a small system prints: cold or warm, the engine, what it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", PLAY], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return done.stdout.splitlines()


@pytest.fixture
def one_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that holds the kernel, and the only one that is looked at."""
    native.load()
    kept = native.find()
    code = b"code" if kept is None else kept[1]  # where nothing can be kept, any code will do
    monkeypatch.setattr(native, "places", lambda: [tmp_path])
    assert native._keep(code) == tmp_path
    assert native.find() == (tmp_path, code)
    return tmp_path


def test_a_process_that_finds_the_kernel_does_not_import_numba() -> None:
    _play()  # it is there now, if it can be kept at all
    was, played, imported = _play()
    assert was == "warm"
    assert played == "90 CompiledEngine False"
    assert imported == "['llvmlite']"


def test_a_damaged_file_is_compiled_again_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / f"kernel-{native.identity()}"
    file.write_bytes(b"half of it")
    here = {"NUMBA_CACHE_DIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    assert _play(**here)[:2] == ["cold", "90 CompiledEngine True"]
    assert list(tmp_path.glob("kernel-*")) == [file]
    assert _play(**here)[:2] == ["warm", "90 CompiledEngine False"]


@pytest.mark.parametrize(
    "damage", [lambda code: b"", lambda code: code[:-1], lambda code: b"\0" + code[1:]], ids=["empty", "short", "other"]
)
def test_a_damaged_file_is_none(one_place: Path, damage: object) -> None:
    (file,) = one_place.iterdir()
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    assert native.find() is None


@pytest.mark.parametrize(
    ("whose", "name", "other"),
    [
        (binding, "get_host_cpu_name", lambda: "another"),
        (binding, "get_host_cpu_features", lambda: binding.FeatureMap(avx=False)),
        (binding, "get_process_triple", lambda: "another-unknown-linux-gnu"),
        (sys, "version", "3.99.0"),
    ],
)
def test_the_kernel_of_another_processor_or_interpreter_is_not_taken(
    one_place: Path, monkeypatch: pytest.MonkeyPatch, whose: object, name: str, other: object
) -> None:
    monkeypatch.setattr(whose, name, other)
    assert native.find() is None
    assert len(list(one_place.iterdir())) == 1


def test_the_kernel_of_other_compilers_or_for_another_target_is_not_taken(
    one_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("llvmlite.__version__", "0.0.1")
        assert native.find() is None
    with monkeypatch.context() as patch:
        patch.setenv("NUMBA_CPU_NAME", "generic")
        assert native.find() is None
    other = one_place / "numba"
    other.mkdir()
    for name in ("__init__.py", "_version.py"):
        (other / name).write_text("another version")
    monkeypatch.setattr(native, "find_spec", lambda name: type("Spec", (), {"origin": str(other / "__init__.py")}))
    assert native.find() is None


def test_it_is_kept_in_the_first_place_that_can_be_written_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wall = tmp_path / "a file"
    wall.touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(native.tempfile, "gettempdir", lambda: str(wall / "temp"))
    assert native._keep(b"code") == tmp_path / "chosen"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(wall / "chosen"))
    assert native.find() is None
    assert native._keep(b"code") == tmp_path / "home" / "gameday"
    assert native.find() == (tmp_path / "home" / "gameday", b"code")
    monkeypatch.setenv("XDG_CACHE_HOME", str(wall / "home"))
    assert native._keep(b"code") is None


def test_it_is_found_where_nothing_can_be_written(one_place: Path) -> None:
    one_place.chmod(0o555)
    try:
        assert native.find() is not None
    finally:
        one_place.chmod(0o755)


def test_machine_code_is_not_taken_from_the_temporary_folder_of_somebody_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(native.tempfile, "gettempdir", lambda: str(tmp_path))
    mine = tmp_path / f"gameday-{os.getuid()}"
    assert mine in native.places()
    mine.mkdir()
    assert mine in native.places()
    monkeypatch.setattr(native.os, "getuid", lambda: 4711)
    (tmp_path / "gameday-4711").mkdir()
    assert tmp_path / "gameday-4711" not in native.places()


def test_without_a_compiler_the_same_kernel_runs_as_python() -> None:
    assert _play(NUMBA_DISABLE_JIT="1")[:2] == ["warm", "90 CompiledEngine False"]


# What the digest covers


def _imported(file: Path) -> Iterator[str]:
    """Modules of the simulator that a file imports from."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sim"):
            yield node.module


def _of_the_kernel() -> set[Path]:
    return {file for file in FOLDER.glob("*.py") if file.name not in native.ON_THIS_SIDE}


@pytest.mark.parametrize("file", sorted(_of_the_kernel()), ids=lambda file: file.stem)
def test_everything_the_kernel_is_made_of_is_in_its_identity(file: Path) -> None:
    inside = {f"sim.traffic.compiled.{file.stem}" for file in _of_the_kernel()}
    outside = {f"sim.traffic.{Path(name).stem}" for name in native.FROM_OUTSIDE}
    assert set(_imported(file)) <= inside | outside


def test_nothing_on_the_side_of_python_imports_the_kernel() -> None:
    pure = {"layout", "native", "stepping"}
    kernel = {f"sim.traffic.compiled.{file.stem}" for file in _of_the_kernel() if file.stem not in pure}
    for name in native.ON_THIS_SIDE:
        assert not kernel & set(_imported(FOLDER / name)), name
