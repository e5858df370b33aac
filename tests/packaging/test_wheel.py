"""The wheel: what is in it, and that what is installed from it works in a folder far from any checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILT_FROM = ("gameday", "sim", "experiments", "loadtests", "scenarios", "pyproject.toml", "README.md", "LICENSE")
LONGEST_S = 300.0


def run(arguments: list[str], folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """A program that finds no checkout: neither through PYTHONPATH nor in its folder."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}} | changes
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that building leaves nothing in the checkout; without an index and without downloads."""
    assert find_spec("hatchling"), "building needs hatchling: pip install -e '.[dev]'"
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(source),
    ]
    built = run(command, folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; what gameday depends on comes from the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    packages = Path(run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).stdout.strip())
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps", str(wheel)]
    put = run(command, folder)
    assert put.returncode == 0, put.stdout + put.stderr
    # Appended to the path, so that the wheel's modules win over the editable install of the checkout.
    (packages / "of_the_tests.pth").write_text(f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n")
    return folder


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_its_name_says_version_and_that_it_is_pure_python(wheel: Path) -> None:
    assert wheel.name == f"gameday_harness-{PROJECT['version']}-py3-none-any.whl"


def test_its_top_level_names_are_the_four_packages_and_nothing_else(wheel: Path) -> None:
    top = {name.split("/")[0] for name in names(wheel)}
    assert top == {"gameday", "sim", "experiments", "loadtests", f"gameday_harness-{PROJECT['version']}.dist-info"}


def test_every_module_data_file_and_shipped_scenario_is_in_it(wheel: Path) -> None:
    def files(folder: str, inside: str) -> set[str]:
        found = (file for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        return {f"{inside}/{file.relative_to(ROOT / folder).as_posix()}" for file in found}

    expected = set().union(*(files(name, name) for name in ("gameday", "sim", "experiments", "loadtests")))
    expected |= files("scenarios", "gameday/shipped_scenarios")
    built = {name for name in names(wheel) if ".dist-info/" not in name}
    assert built == expected
    assert {f"{name}/py.typed" for name in ("gameday", "sim", "experiments", "loadtests")} <= built
    assert {"gameday/scores/scores.schema.json", "gameday/report/templates/report.html.j2"} <= built
    assert "gameday/shipped_scenarios/systems/shop.yaml" in built


def test_it_holds_licence_command_and_requirements(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = f"gameday_harness-{PROJECT['version']}.dist-info"
        assert archive.read(f"{inside}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert "gameday = gameday.__main__:main" in archive.read(f"{inside}/entry_points.txt").decode()
        metadata = archive.read(f"{inside}/METADATA").decode()
    required = {line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if line.startswith("Requires-Dist: ")}
    assert {one for one in required if "extra ==" not in one} == set(PROJECT["dependencies"])
    assert "\nRequires-Python: <3.14,>=3.11\n" in metadata


def test_the_installed_command_works_far_from_a_checkout(installed: Path, tmp_path: Path) -> None:
    gameday = str(installed / "bin" / "gameday")
    where = run([str(installed / "bin" / "python"), "-c", "import gameday, sim; print(gameday.__file__, sim.__file__)"], tmp_path)
    assert where.stdout.count(str(installed)) == 2, where.stdout + where.stderr
    assert run([gameday, "--version"], tmp_path).stdout == f"gameday {PROJECT['version']}\n"
    new = run([gameday, "new", "mine", "--from", "primary-loss"], tmp_path)
    assert (new.returncode, new.stderr) == (0, "")
    checked = run([gameday, "validate", "."], tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "3 files, no problems\n")
    played = run([gameday, "run", "mine.yaml", "--replications", "1", "--set", "duration=8m", "--out", "run", "--json"], tmp_path)
    assert played.returncode in {0, 1, 3}, played.stderr
    assert json.loads(played.stdout)["scenario"] == "mine"
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    two = run(
        [gameday, "run", "mine.yaml", "--replications", "2", "--jobs", "2", "--set", "duration=6m", "--no-report"], tmp_path
    )
    assert two.returncode in {0, 1, 3}, two.stderr
