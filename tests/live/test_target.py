"""The target file: nothing outside of what is allowed, no secrets, every problem at once with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.errors import BadInput
from gameday.target import host_of, read_target

GOOD = """\
target: 1
name: mine
entries: {a: "http://127.0.0.1:80"}
routes: {browse: {path: /}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "target.yaml"
    path.write_text(text)
    return path


def test_a_small_target_is_read(tmp_path: Path) -> None:
    target = read_target(written(tmp_path, GOOD))
    assert target.allow == ["127.0.0.0/8"]
    assert Path(target.file) == tmp_path / "target.yaml"


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1:80", "http://shop.example", "http://localhost:80", "http://[::1]:80", "http://127.0.0.1.example"]
)
def test_only_what_is_allowed_may_be_named(tmp_path: Path, address: str) -> None:
    with pytest.raises(BadInput, match="outside of what `allow` lists"):
        read_target(written(tmp_path, GOOD.replace("http://127.0.0.1:80", address)))


def test_hosts_that_are_listed_are_allowed(tmp_path: Path) -> None:
    text = GOOD.replace("http://127.0.0.1:80", "http://shop.example") + "allow: [shop.example]\n"
    assert read_target(written(tmp_path, text)).entries == {"a": "http://shop.example"}


@pytest.mark.parametrize("dsn", ["host=127.0.0.1 password=secret", "postgresql://me:secret@127.0.0.1/db"])
def test_a_password_in_the_file_is_refused(tmp_path: Path, dsn: str) -> None:
    text = GOOD + f'databases: {{db: {{nodes: [{{name: n, zone: z, region: r, dsn: "{dsn}"}}]}}}}\n'
    with pytest.raises(BadInput, match="holds a password") as caught:
        read_target(written(tmp_path, text))
    assert "secret" not in str(caught.value).replace(dsn, "") or "(read" in str(caught.value)


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = GOOD + 'supervisor: "http://8.8.8.8:1"\nprometheus: "http://9.9.9.9:1"\n'
    with pytest.raises(BadInput) as caught:
        read_target(written(tmp_path, text))
    assert [problem.line for problem in caught.value.problems] == [5, 6]


def test_a_name_that_is_no_lab_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="gameday lab up"):
        read_target("nowhere")


def test_the_token_comes_from_the_environment_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from the file\n")
    target = read_target(written(tmp_path, GOOD))
    monkeypatch.delenv("GAMEDAY_LAB_TOKEN", raising=False)
    assert target.token() == "from the file"
    monkeypatch.setenv("GAMEDAY_LAB_TOKEN", "from the environment")
    assert target.token() == "from the environment"


def test_hosts_are_found_in_all_kinds_of_address() -> None:
    assert host_of("http://127.0.0.1:80/x") == "127.0.0.1"
    assert host_of("host=127.0.0.2 port=5432 dbname=orders") == "127.0.0.2"
    assert host_of("127.0.0.3:53") == "127.0.0.3"


def test_lab_means_the_lab_that_was_given_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".lab" / "default").mkdir(parents=True)
    written(tmp_path / ".lab" / "default", GOOD)
    assert read_target("lab").name == "mine"
    assert read_target("default").name == "mine"
