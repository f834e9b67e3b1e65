"""A run's folder: all that there is of it, on the local disk, before anything else happens with it.

`run.json` (its card, and in the end its status), `artifacts/` (config, history, weights, picture)
and, once a tracker has it, `recorded.json`.
"""

import csv
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class RunCard:
    """What a run is called, what was chosen for it, and what else is noted."""

    name: str
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; the same for who writes them and for who reads them.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as path:
    ...     run = RunFolder(Path(path)).begin(RunCard("cosine", {"epochs": 3}))
    ...     run.end("FINISHED")
    ...     run.card().name, run.status()
    ('cosine', 'FINISHED')
    """

    path: Path

    @property
    def artifacts(self) -> Path:
        """The folder whose files belong to the run."""
        return self.path / "artifacts"

    @property
    def history(self) -> Path:
        """A line an epoch."""
        return self.artifacts / "history.csv"

    def begin(self, card: RunCard) -> "RunFolder":
        """Write the card; the run is RUNNING, in this process."""
        self.artifacts.mkdir(parents=True, exist_ok=True)
        owner = {"pid": os.getpid(), "host": platform.node()}
        _write_json(self.path / "run.json", asdict(card) | {"status": "RUNNING", "owner": owner})
        return self

    def end(self, status: Status, tags: Mapping[str, str] | None = None) -> None:
        """Note how the run ended."""
        run = self._run()
        run["tags"] |= tags or {}
        _write_json(self.path / "run.json", run | {"status": status})

    def card(self) -> RunCard:
        """What `begin` was given."""
        run = self._run()
        return RunCard(run["name"], run["params"], run["tags"])

    def status(self) -> Status:
        """How it ended; KILLED too where the process that ran it is gone without a word."""
        run = self._run()
        if run["status"] != "RUNNING" or _alive(run["owner"]):
            status: Status = run["status"]
            return status
        return "KILLED"

    def recorded(self) -> dict[str, Any]:
        """What a tracker noted: `run_id`, and `complete` when it has everything."""
        path = self.path / "recorded.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def note_recorded(self, run_id: str, *, complete: bool) -> None:
        """Note where a tracker has the run."""
        _write_json(self.path / "recorded.json", {"run_id": run_id, "complete": complete})

    def _run(self) -> dict[str, Any]:
        run: dict[str, Any] = json.loads((self.path / "run.json").read_text())
        return run


def read_history(path: Path, after: int = 0) -> tuple[list[dict[str, float]], int]:
    """The whole lines of a history file beyond a position, and the position after them.

    A line that is still being written is left for the next call.

    Args:
        path: of the CSV file; one that does not exist yet is empty.
        after: bytes already read.
    """
    if not path.exists():
        return [], after
    with path.open("rb") as file:
        header = file.readline()
        file.seek(max(after, len(header)))
        whole = file.read().rpartition(b"\n")[0]
        end = max(after, len(header)) + len(whole) + bool(whole)
    if not header.endswith(b"\n") or not whole:
        return [], after
    return list(_rows(header.decode(), whole.decode())), end


def _rows(header: str, lines: str) -> Iterator[dict[str, float]]:
    names = next(csv.reader([header]))
    for row in csv.reader(lines.splitlines()):
        yield {name: float(value) for name, value in zip(names, row, strict=True)}


def _alive(owner: Mapping[str, Any]) -> bool:
    if owner["host"] != platform.node():
        return True  # not ours to judge
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(content, default=str))
    unfinished.replace(path)
