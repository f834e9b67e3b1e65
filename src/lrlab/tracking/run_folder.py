"""A run's folder: all that there is of it, on the local disk, before anything else happens with it.

`run.json` (its `RunInfo`, owner and status), `artifacts/` (config, history, weights, picture)
and, once a tracker has it, `recorded.json`.
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

UNREADABLE = (OSError, ValueError, LookupError, TypeError)  # raised where a file is damaged or gone
Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class RunInfo:
    """What a run is called, what was chosen for it, and what else is noted.

    Args:
        name: for people.
        params: what was chosen; fixed for ever once it is tracked.
        tags: what else is noted.
        parent: path of the folder of the run that this one is a part of, such as a sweep's.
    """

    name: str
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; the same for who writes them and for who reads them.

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
        """The folder whose files belong to the run."""
        return self.path / "artifacts"

    @property
    def history(self) -> Path:
        """A line an epoch."""
        return self.artifacts / "history.csv"

    def begin(self, info: RunInfo) -> "RunFolder":
        """Write the info of a new run; it is RUNNING, in this process.

        What a tracker noted of a former run in the same folder is forgotten.
        """
        (self.path / "recorded.json").unlink(missing_ok=True)
        return self._begin(info, {"uid": uuid4().hex, "start": _now()})

    def resume(self, info: RunInfo) -> "RunFolder":
        """Go on with the run that is in this folder, or begin one; it is RUNNING, in this process.

        Its id and its start stay; name, tags and files are the new ones wherever it is tracked.
        """
        self.artifacts.mkdir(parents=True, exist_ok=True)
        with self.lock():
            if not (self.path / "run.json").exists():
                return self.begin(info)
            if noted := self.recorded():
                self.note_recorded(**noted | {"complete": False})
            return self._begin(info, {key: self.read()[key] for key in ("uid", "start")})

    def end(self, status: Status, tags: Mapping[str, str] | None = None) -> None:
        """Note how and when the run ended, and what can be said of it only now."""
        run = self.read()
        ended = {"status": status, "end": _now(), "tags": run["tags"] | dict(tags or {})}
        write_json(self.path / "run.json", run | ended)

    def give_up(self) -> None:
        """Note that the run's process ended without a word; nothing if it had noted an end."""
        if self.read()["status"] == "RUNNING":
            self.end("KILLED")

    def read(self) -> dict[str, Any]:
        """All that `begin` and `end` noted: the info, `uid`, `start`, `status`, `owner`, `end`."""
        run: dict[str, Any] = json.loads((self.path / "run.json").read_text("utf-8"))
        return run

    def uid(self) -> str | None:
        """The run's own id, 32 hexadecimal digits; None where there is no run."""
        try:
            return str(self.read()["uid"])
        except FileNotFoundError:
            return None

    def info(self) -> RunInfo:
        """What `begin` was given."""
        run = self.read()
        return RunInfo(run["name"], run["params"], run["tags"], run["parent"])

    def status(self) -> Status:
        """How it ended; KILLED too where the process that ran it is gone without a word."""
        return status_of(self.read(), self.path)

    def recorded(self) -> dict[str, Any]:
        """What a tracker noted: `run_id`, its `store`, and `complete` when it has everything."""
        path = self.path / "recorded.json"
        try:
            noted: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:  # cut off by a power failure; that something was noted still counts
            return {"run_id": None, "complete": False, "store": None}
        return noted

    def note_recorded(
        self, run_id: str | None = None, *, complete: bool, store: str | None = None
    ) -> None:
        """Note where a tracker has the run; no id: it is just about to make one."""
        noted = {"run_id": run_id, "complete": complete, "store": store}
        write_json(self.path / "recorded.json", noted)

    def note_destination(self, destination: Destination) -> None:
        """Note where the run is to be recorded."""
        run, path = self.read(), self.path / "run.json"
        if run.get("tracked") != (noted := asdict(destination)):
            before = path.stat()
            write_json(path, run | {"tracked": noted})
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # no sign of life

    def destination(self) -> Destination | None:
        """Where the run is to be recorded; None where that was not noted."""
        noted = self.read().get("tracked")
        return Destination(**noted) if noted else None

    def lock(self) -> AbstractContextManager[None]:
        """Held by the one process that may give the run its identity."""
        return file_lock(self.path / ".lock")

    def _begin(self, info: RunInfo, identity: Mapping[str, object]) -> "RunFolder":
        self.artifacts.mkdir(parents=True, exist_ok=True)
        parent = str(Path(info.parent).absolute()) if info.parent else None
        begun = {"parent": parent, "status": "RUNNING", "owner": this_process()}
        write_json(self.path / "run.json", asdict(info) | begun | dict(identity))
        return self


def status_of(run: Mapping[str, Any], folder: Path) -> Status:
    """How a run ended by what `RunFolder.read` gives; see `RunFolder.status`."""
    status: Status = run["status"]
    return "KILLED" if status == "RUNNING" and is_dead(run["owner"], folder) else status


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file by a whole new one, without the passwords of addresses."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(masked(json.dumps(content, default=str)), "utf-8")
    unfinished.replace(path)


def _now() -> int:
    return time.time_ns() // 1_000_000
