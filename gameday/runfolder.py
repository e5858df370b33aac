"""The folder of one run: where each file lies, and what `run.json` says.

The rule that surprises: a folder is somebody's evidence. It is never written over unless it is one of ours and the user
insists; then what the old run left is taken away first, so that no file of it can be mistaken for the new run's.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from gameday.atomic_files import cannot, write_atomically
from gameday.errors import BadInput, GamedayError, Problem, nearest
from gameday.runrecord import RunRecord

RUN_FILE: Final = "run.json"
SCENARIO_FILE: Final = "scenario.yaml"
TIMELINE_FILE: Final = "timeline.jsonl"
SERIES_FILE: Final = "series.parquet"
TRACES_FILE: Final = "traces.jsonl"
SCORES_FILE: Final = "scores.json"
REPLICATIONS_FILE: Final = "replications.parquet"
HTML_REPORT_FILE: Final = "report.html"
MARKDOWN_REPORT_FILE: Final = "report.md"
JUNIT_FILE: Final = "junit.xml"
PREDICTION_FILE: Final = "prediction.json"
VERDICT_FILE: Final = "verdict.json"
REPLICATIONS_FOLDER: Final = "replications"
PREDICTION_FOLDER: Final = "prediction"
LIVE_FOLDER: Final = "live"

RUN_FILES: Final = (
    RUN_FILE,
    SCENARIO_FILE,
    TIMELINE_FILE,
    SERIES_FILE,
    TRACES_FILE,
    SCORES_FILE,
    REPLICATIONS_FILE,
    HTML_REPORT_FILE,
    MARKDOWN_REPORT_FILE,
    JUNIT_FILE,
)
"""The files of a simulated run, besides `replications/<n>/timeline.jsonl`."""

FILES: Final = (*RUN_FILES, PREDICTION_FILE, VERDICT_FILE)
"""All files a run folder may hold, besides `replications/<n>/timeline.jsonl` and, of a live day, `prediction/` and `live/`."""

NEEDED: Final = (RUN_FILE, SCENARIO_FILE, TIMELINE_FILE)
"""What a folder holds from which a run can be scored again."""

_MOST_OF_A_NAME: Final = 1000


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder. The paths are those of the layout, whether or not the files are there."""

    path: Path

    @classmethod
    def create(
        cls,
        results_dir: Path,
        scenario_name: str,
        seed: int,
        started: datetime,
        out: Path | None = None,
        *,
        force: bool = False,
    ) -> Self:
        """Make the folder of a new run: `out`, or `<results_dir>/<scenario>-<UTC yyyymmdd-hhmmss>-s<seed>`.

        A name that is taken gets `-2`, `-3`, ... An `out` that holds anything is refused, unless it is a run folder of ours
        and `force` is set. `started` is the wall time, with its offset. GamedayError for what the caller can mend.
        """
        assert started.tzinfo is not None, "a wall time has an offset"
        try:
            if out is not None:
                return cls._at(out, force=force)
            stamp = started.astimezone(UTC).strftime("%Y%m%d-%H%M%S")
            return cls._new(results_dir, f"{_file_name(scenario_name)}-{stamp}-s{seed}")
        except OSError as error:
            raise cannot("create", Path(error.filename or out or results_dir), error) from error

    @classmethod
    def _at(cls, out: Path, *, force: bool) -> Self:
        if out.exists() and not out.is_dir():
            raise GamedayError(f"cannot write the run to {out}: it is a file, and a run needs a folder")
        folder = cls(out)
        if out.is_dir() and any(out.iterdir()):
            if not folder._is_ours():
                raise GamedayError(
                    f"cannot write the run to {out}: it holds files and is no run folder; name a new or an empty one"
                )
            if not force:
                raise GamedayError(f"cannot write the run to {out}: it holds a run already; name another folder, or use --force")
            folder._clear()
        out.mkdir(parents=True, exist_ok=True)
        return folder

    @classmethod
    def _new(cls, results_dir: Path, name: str) -> Self:
        results_dir.mkdir(parents=True, exist_ok=True)
        for number in range(1, _MOST_OF_A_NAME + 1):
            path = results_dir / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return cls(path)
        raise GamedayError(f"cannot create {results_dir / name}: {_MOST_OF_A_NAME} folders have that name already")

    @classmethod
    def open(cls, path: Path, needs: Sequence[str] = NEEDED) -> Self:
        """The run folder at `path`; BadInput that names all that is missing or broken, `run.json` included."""
        if not path.is_dir():
            raise BadInput([Problem(str(path), None, None, "", None, *_not_a_folder(path))])
        missing = [name for name in dict.fromkeys((RUN_FILE, *needs)) if not (path / name).is_file()]
        if RUN_FILE in missing and not any((path / name).exists() for name in FILES):
            raise BadInput([Problem(str(path), None, None, "", None, f"is no run folder: it lacks {', '.join(missing)}")])
        if missing:
            raise BadInput([Problem(str(path), None, None, "", None, f"lacks {name}") for name in missing])
        folder = cls(path)
        folder.read_record()
        return folder

    @property
    def run(self) -> Path:
        """What was run, with which versions, and whether it was finished."""
        return self.path / RUN_FILE

    @property
    def scenario(self) -> Path:
        """The scenario as it was run."""
        return self.path / SCENARIO_FILE

    @property
    def timeline(self) -> Path:
        """The timeline of the run; of replication 0 where there are several (of the first that was finished, if 0 was not)."""
        return self.path / TIMELINE_FILE

    @property
    def series(self) -> Path:
        """Indicators over time, for the same replication as the timeline."""
        return self.path / SERIES_FILE

    @property
    def traces(self) -> Path:
        """Stories of single requests, for the same replication as the timeline; simulated runs have them."""
        return self.path / TRACES_FILE

    @property
    def scores(self) -> Path:
        """Results of all scorers."""
        return self.path / SCORES_FILE

    @property
    def replications(self) -> Path:
        """One row for each replication and KPI."""
        return self.path / REPLICATIONS_FILE

    @property
    def report_html(self) -> Path:
        """The report for people."""
        return self.path / HTML_REPORT_FILE

    @property
    def report_md(self) -> Path:
        """The report for pull requests."""
        return self.path / MARKDOWN_REPORT_FILE

    @property
    def junit(self) -> Path:
        """The report for CI."""
        return self.path / JUNIT_FILE

    @property
    def prediction(self) -> Path:
        """Of a live day: the distribution of every KPI, registered before the first fault."""
        return self.path / PREDICTION_FILE

    @property
    def verdict(self) -> Path:
        """Of a live day: its verdict and the reasons."""
        return self.path / VERDICT_FILE

    @property
    def predicted(self) -> Path:
        """Of a live day: the run folder of the simulation behind the prediction."""
        return self.path / PREDICTION_FOLDER

    @property
    def live(self) -> Path:
        """Of a live day: what its processes wrote while it went on."""
        return self.path / LIVE_FOLDER

    def timeline_of(self, replication: int) -> Path:
        """The timeline of one replication: `timeline.jsonl` for 0, else `replications/<n>/timeline.jsonl`."""
        if replication < 0:
            raise GamedayError(f"replications count from 0, there is no {replication}")
        return self.path / REPLICATIONS_FOLDER / str(replication) / TIMELINE_FILE if replication else self.timeline

    def replications_kept(self) -> list[int]:
        """The replications, from 1 on, whose timelines are there beside `timeline.jsonl`, in order."""
        kept = (file.parent.name for file in self.path.glob(f"{REPLICATIONS_FOLDER}/*/{TIMELINE_FILE}"))
        return sorted(int(name) for name in kept if re.fullmatch(r"[1-9][0-9]*", name))

    def write_bytes(self, file: Path, content: bytes) -> None:
        """Write one of the folder's files, whole or not at all. GamedayError when the operating system refuses."""
        assert file.is_relative_to(self.path), f"{file} is not in {self.path}"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot("create", file.parent, error) from error
        write_atomically(file, content)

    def write_text(self, file: Path, content: str) -> None:
        """The same for text, in UTF-8 and with the line ends it has."""
        self.write_bytes(file, content.encode())

    def write_json(self, file: Path, content: object) -> None:
        """The same for JSON, indented, keys in their order. A NaN or an infinity is a bug of ours (ValueError)."""
        self.write_text(file, json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2) + "\n")

    def write_record(self, record: RunRecord) -> None:
        """Write `run.json`: once when the run starts, so that a crash leaves a run folder, and once when it ends."""
        self.write_text(self.run, record.to_json())

    def remove_if_empty(self) -> None:
        """Take the folder away when nothing was written into it; leave it in peace otherwise."""
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def read_record(self) -> RunRecord:
        """Read `run.json`; BadInput with all that is wrong with it."""
        try:
            content = self.run.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise BadInput([Problem(str(self.run), None, None, "", None, "is not UTF-8")]) from error
        except OSError as error:
            raise cannot("read", self.run, error) from error
        return RunRecord.from_json(content, str(self.run))

    def _is_ours(self) -> bool:
        """Whether a run of ours was written here, by any version: its `run.json` says which schema it follows."""
        try:
            record = json.loads(self.run.read_bytes())
        except (OSError, ValueError, RecursionError):
            return False
        return isinstance(record, dict) and isinstance(record.get("schema"), int) and "scenario" in record

    def _clear(self) -> None:
        """Take away what a run of ours writes, and nothing else; `run.json` last, so that the folder stays ours until then."""
        for replication in self.replications_kept():
            shutil.rmtree(self.path / REPLICATIONS_FOLDER / str(replication))
        for name in (PREDICTION_FOLDER, LIVE_FOLDER):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in reversed(FILES):
            for half_written in self.path.glob(f".{name}.*.tmp"):
                half_written.unlink(missing_ok=True)
            (self.path / name).unlink(missing_ok=True)


def _file_name(scenario_name: str) -> str:
    """The name without what a file system or a shell might stumble over."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", scenario_name).strip("-.")[:100]
    return name or "run"


def _not_a_folder(path: Path) -> tuple[str, str | None]:
    """Why `path` is no folder, and the name beside it that was probably meant."""
    if path.exists():
        return "is a file, not a run folder", None
    try:
        beside = sorted(one.name for one in path.parent.iterdir() if one.is_dir())
    except OSError:
        beside = []
    near = nearest(path.name, beside)
    return "does not exist", None if near is None else str(path.parent / near)
