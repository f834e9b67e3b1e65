"""`RunFolder`: the files of a run on the local disk, written before anything is tracked.

`run.json` (its `RunInfo`, owner and status), `artifacts/` (config, history, weights, plot)
and, once a tracker has the run, `recorded.json`.
"""

import json
import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from crashsafe.locks import file_lock
from crashsafe.masking import masked
from crashsafe.processes import this_process
from lrlab.tracking.destinations import Destination
from lrlab.tracking.run_liveness import is_dead

PLOT = "curve.png"  # among the artifacts of a run that is part of no other
UNREADABLE = (OSError, ValueError, LookupError, TypeError)  # raised if a file is damaged or gone
KEPT = ("uid", "start", "metrics", "measured")  # of a run that goes on
Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class RunInfo:
    """Name, params and tags of a run.

    Args:
        name: shown to users; need not be unique.
        params: chosen settings; cannot change once tracked.
        tags: anything else.
        parent: folder of the run that this one is part of, such as a sweep.
        dataset: what it trains on: `name`, `digest` and `source`; {} to say nothing.
    """

    name: str
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    dataset: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, for writing and for reading.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as path:
    ...     run = RunFolder(Path(path)).begin(RunInfo("cosine", {"epochs": 3}))
    ...     run.end("FINISHED", tags={"state": "complete"})
    ...     run.info().name, run.info().tags, run.status()
    ('cosine', {'state': 'complete'}, 'FINISHED')
    """

    path: Path

    @property
    def artifacts(self) -> Path:
        """The folder of the run's files, which are uploaded."""
        return self.path / "artifacts"

    @property
    def history(self) -> Path:
        """The CSV file with one line per epoch."""
        return self.artifacts / "history.csv"

    def begin(self, info: RunInfo) -> "RunFolder":
        """Begin a new run, RUNNING in this process.

        Deletes `recorded.json` of an earlier run in this folder.
        """
        (self.path / "recorded.json").unlink(missing_ok=True)
        return self._begin(info, {"uid": uuid4().hex, "start": _now()})

    def resume(self, info: RunInfo) -> "RunFolder":
        """Continue the run in this folder or begin one, RUNNING in this process.

        Id and start time stay; the new name, tags and files replace the tracked ones.
        """
        self.artifacts.mkdir(parents=True, exist_ok=True)
        with self.lock():
            if not (self.path / "run.json").exists():
                return self.begin(info)
            if noted := self.recorded():
                self.note_recorded(**noted | {"complete": False})
            return self._begin(info, {k: v for k, v in self.read().items() if k in KEPT})

    def end(
        self,
        status: Status,
        tags: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Set status, end time, further tags, and metrics of the run as a whole.

        Metrics that are the same as before keep their time, so that a tracker has them once.
        """
        run = self.read()
        ended = {"status": status, "end": _now(), "tags": run["tags"] | dict(tags or {})}
        if metrics and dict(metrics) != run.get("metrics"):
            ended |= {"metrics": dict(metrics), "measured": ended["end"]}
        write_json(self.path / "run.json", run | ended)

    def give_up(self) -> None:
        """Set the status to KILLED if the run has not ended."""
        if self.read()["status"] == "RUNNING":
            self.end("KILLED")

    def read(self) -> dict[str, Any]:
        """The content of `run.json`: the info, `uid`, `start`, `status`, `owner`, `end`.

        `measured` is when the run as a whole was given its `metrics`.
        """
        run: dict[str, Any] = json.loads((self.path / "run.json").read_text("utf-8"))
        return run

    def uid(self) -> str | None:
        """The run's id, 32 hexadecimal digits; None if there is no run."""
        try:
            return str(self.read()["uid"])
        except FileNotFoundError:
            return None

    def info(self) -> RunInfo:
        """The name, params, tags and parent of the run."""
        run = self.read()
        return RunInfo(
            run["name"], run["params"], run["tags"], run["parent"], run.get("dataset", {})
        )

    def status(self) -> Status:
        """The status; KILLED if it is RUNNING in a process that is dead."""
        return status_of(self.read(), self.path)

    def recorded(self) -> dict[str, Any]:
        """What a tracker has: `run_id`, `store`, and whether it is `complete`; {} if nothing."""
        path = self.path / "recorded.json"
        try:
            noted: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:  # truncated by a power failure; a run may exist in the store
            return {"run_id": None, "complete": False, "store": None}
        return noted

    def note_recorded(
        self, run_id: str | None = None, *, complete: bool, store: str | None = None
    ) -> None:
        """Store what a tracker has; without a `run_id`, it is about to create the run."""
        noted = {"run_id": run_id, "complete": complete, "store": store}
        write_json(self.path / "recorded.json", noted)

    def note_destination(self, destination: Destination) -> None:
        """Store the MLflow experiment that the run belongs to."""
        run, path = self.read(), self.path / "run.json"
        if run.get("tracked") != (noted := asdict(destination)):
            before = path.stat()
            write_json(path, run | {"tracked": noted})
            os.utime(
                path, ns=(before.st_atime_ns, before.st_mtime_ns)
            )  # a write here is no heartbeat

    def destination(self) -> Destination | None:
        """The MLflow experiment that the run belongs to; None if unknown."""
        noted = self.read().get("tracked")
        return Destination(**noted) if noted else None

    def lock(self) -> AbstractContextManager[None]:
        """Lock of the process that creates the run, here or in a store."""
        return file_lock(self.path / ".lock")

    def _begin(self, info: RunInfo, identity: Mapping[str, object]) -> "RunFolder":
        self.artifacts.mkdir(parents=True, exist_ok=True)
        parent = str(Path(info.parent).absolute()) if info.parent else None
        begun = {"parent": parent, "status": "RUNNING", "owner": this_process()}
        write_json(self.path / "run.json", asdict(info) | begun | dict(identity))
        return self


def status_of(run: Mapping[str, Any], folder: Path) -> Status:
    """The status of a run, given its `run.json`; see `RunFolder.status`."""
    status: Status = run["status"]
    return "KILLED" if status == "RUNNING" and is_dead(run["owner"], folder) else status


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file atomically; masks passwords in addresses."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(masked(json.dumps(content, default=str)), "utf-8")
    unfinished.replace(path)


def _now() -> int:
    return time.time_ns() // 1_000_000
