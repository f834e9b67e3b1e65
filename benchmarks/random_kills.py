"""Kills commands of sweeps at random moments, and counts what was lost or done twice.

Run: ``python -m benchmarks.random_kills --kills 500`` (half an hour on two idle cores). In each
round two commands work on one study and record it in MLflow. Again and again one of them, or the
process that writes to MLflow, gets SIGKILL, at a random time up to twice what a command takes to
begin its first trial, and the same command is given again; the last ones may end. Then the study,
the folders of the runs and MLflow's database are held against each other.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.warm import warm_python

FAMILIES, N_TRIALS, EPOCHS = ("cosine", "step"), 40, 40
SWEEP = [
    *("-m", f"scheduler={','.join(FAMILIES)}", f"epochs={EPOCHS}", "task.n=200"),
    *("hydra.sweeper.study_name=s", f"hydra.sweeper.n_trials={N_TRIALS}"),
    *("hydra.sweeper.batch_size=4", "hydra/sweeper/sampler=random", "hydra.sweep.dir=out"),
    *("verdict.finalists=2", "verdict.selection=1", "verdict.fresh=2"),
]
PER_ROUND = 15  # the last commands of a round take as long as three kills
DRAWN = 0.2  # share of rounds whose verdict has its plots, which take longer than all else in it
LONGEST = 8.0  # seconds for a start, on a machine with other work
HANG = 1800.0  # seconds after which a command that nobody kills counts as hung
WRITER = b"lrlab.tracking.writer.writer_process"
EPOCHS_OF_RUNS = """
SELECT run_uuid, count(*), count(DISTINCT step) FROM metrics WHERE key = 'loss' GROUP BY run_uuid
"""
NUMBERS_OF_TRIALS = """
SELECT number.value FROM tags number JOIN tags role USING (run_uuid)
WHERE number.key = 'trial' AND role.key = 'role' AND role.value = 'trial'
"""
EMPTY = """
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
SqlAlchemyStore("sqlite:///mlflow.db", "./mlruns").engine.dispose()
"""


@dataclass
class Tally:
    """What happened, over all rounds."""

    kills: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    @property
    def line(self) -> str:
        """The tally in a line."""
        kills = ", ".join(f"{number} of {what}" for what, number in sorted(self.kills.items()))
        names = ("sweeps", "trials", "runs", "lost", "doubled", "tracebacks", "hangs", "failed")
        counts = ", ".join(f"{self.found[name]} {name}" for name in names)
        return f"{self.kills.total()} kills ({kills}): {counts}"


@dataclass
class Round:
    """One study, two commands that work on it, and some kills."""

    python: str
    folder: Path
    start: float  # seconds from a command to its first trial, on this machine
    rng: random.Random
    tally: Tally
    sweep: list[str]  # the command
    finished: set[int] = field(default_factory=set)  # trials that were finished before some kill

    def run(self, kills: int) -> None:
        """Kill so many times, let the rest end, and count."""
        crew = [self._command() for _ in range(2)]
        while kills:
            time.sleep(self.rng.uniform(0.0, 2.0) * min(self.start, LONGEST))
            kills -= self._kill(crew)
            self.finished |= self._finished()
        for command in crew:
            self._end(command)
        self._end(self._command("sweeps.sync", "out", "mlruns/studies"))
        self._count()

    def _command(self, module: str = "sweeps", *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, "-m", module, *(words or self.sweep)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _kill(self, crew: list[subprocess.Popen[str]]) -> int:
        """Kill one of them; 0 if it had ended. Either way it is started again."""
        writers = list(_writers(self.folder))
        if writers and self.rng.random() < 0.3:
            os.kill(self.rng.choice(writers), signal.SIGKILL)
            self.tally.kills["the writer"] += 1
            return 1
        victim = self.rng.randrange(len(crew))
        alive = crew[victim].poll() is None
        if alive:
            self.tally.kills["a command"] += 1
            crew[victim].kill()
            self._read(crew[victim].communicate()[0])
        else:
            self._end(crew[victim])
        crew[victim] = self._command()
        return int(alive)

    def _end(self, command: subprocess.Popen[str]) -> None:
        try:
            text = command.communicate(timeout=HANG)[0]
        except subprocess.TimeoutExpired:
            self.tally.found["hangs"] += 1
            command.kill()
            text = command.communicate()[0]
        self._read(text)
        if command.returncode:
            self.tally.found["failed"] += 1
            print(f"exit code {command.returncode}: {text[-2000:]}")

    def _read(self, text: str) -> None:
        if "Traceback" in text:
            self.tally.found["tracebacks"] += 1
            print(text[-3000:])

    def _finished(self) -> set[int]:
        return {trial for trial, _, state, _ in self._trials() if state in ("COMPLETE", "PRUNED")}

    def _trials(self) -> list[tuple[int, str, str, str]]:
        """Id, study, state and folder of each trial."""
        query = """
            SELECT t.trial_id, s.study_name, t.state, coalesce(a.value_json, '""') FROM trials t
            JOIN studies s USING (study_id) LEFT JOIN trial_user_attributes a
            ON a.trial_id = t.trial_id AND a.key = 'folder'
        """
        return _rows(self.folder / "mlruns/optuna.db", query)

    def _count(self) -> None:
        found, trials = self.tally.found, self._trials()
        done = [row for row in trials if row[2] in ("COMPLETE", "PRUNED")]
        per_family = Counter(study for _, study, _, _ in done)
        for family in FAMILIES:
            wrong = per_family[f"s/scheduler={family}"] - N_TRIALS
            found["doubled" if wrong > 0 else "lost"] += abs(wrong)
        found["lost"] += len(self.finished - {trial for trial, *_ in done})
        found["lost"] += sum(state in ("RUNNING", "WAITING") for _, _, state, _ in trials)
        found["doubled"] += len(done) - len(self._values(done))
        found["sweeps"] += 1
        found["trials"] += len(trials)
        self._count_runs([Path(json.loads(folder)) for *_, folder in done])
        found["lost"] += not list(self.folder.rglob("verdict.json"))

    def _values(self, done: list[tuple[int, str, str, str]]) -> set[str]:
        """Distinct parameters of finished trials: a random sampler never repeats them."""
        query = (
            "SELECT trial_id, group_concat(param_name || param_value) FROM trial_params GROUP BY 1"
        )
        known = dict(_rows(self.folder / "mlruns/optuna.db", query))
        return {f"{study} {known.get(trial, trial)}" for trial, study, _, _ in done}

    def _count_runs(self, folders: list[Path]) -> None:
        """Each finished trial has one run in MLflow, with each epoch of its history once."""
        found, database = self.tally.found, self.folder / "mlflow.db"
        runs = dict(_rows(database, "SELECT run_uuid, status FROM runs"))
        epochs = {run: (rows, steps) for run, rows, steps in _rows(database, EPOCHS_OF_RUNS)}
        found["runs"] += len(runs)
        for folder in folders:
            rows, steps = epochs.get(_run(folder), (0, 0))
            found["lost"] += steps < _epochs(folder)
            found["doubled"] += rows - steps
        tagged = Counter(number for (number,) in _rows(database, NUMBERS_OF_TRIALS))
        found["doubled"] += sum(number - 1 for number in tagged.values())
        found["lost"] += sum(status == "RUNNING" for status in runs.values())


def _start(python: str, base: str) -> float:
    """How long a command takes to begin its first trial."""
    folder, begun = Path(base, "start"), time.monotonic()
    folder.mkdir()
    shutil.copy(Path(base, "mlflow.db"), folder)
    first = subprocess.Popen(
        [python, "-m", "sweeps", *SWEEP], cwd=folder, stdout=subprocess.DEVNULL
    )
    while not list(folder.rglob("history.csv")) and first.poll() is None:
        time.sleep(0.05)
    took = time.monotonic() - begun
    first.kill()
    first.wait()
    return took


def _epochs(folder: Path) -> int:
    return len((folder / "artifacts/history.csv").read_text().splitlines()) - 1


def _run(folder: Path) -> str:
    return str(json.loads((folder / "recorded.json").read_text())["run_id"])


def _rows(file: Path, query: str) -> list[tuple]:
    if not file.exists():
        return []
    with closing(sqlite3.connect(file, timeout=60)) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError:  # its tables are still to be made
            return []


def _writers(folder: Path) -> Iterator[int]:
    """The processes that write this folder's runs to MLflow."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = WRITER in (process / "cmdline").read_bytes()
            if ours and (process / "cwd").readlink() == folder:
                yield int(process.name)
        except OSError:
            continue  # it has ended


@contextmanager
def interpreter(*, cold: bool) -> Iterator[str]:
    """The interpreter itself, or forks of one that has imported the libraries."""
    if cold:
        yield sys.executable
    else:
        with warm_python() as python:
            yield python


def main() -> int:
    """Run rounds until there were as many kills; give 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=PER_ROUND)
    parser.add_argument("--at-once", type=int, default=1, help="rounds, each with its own study")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--cold", action="store_true", help="start the interpreter anew each time")
    asked = parser.parse_args()
    tally, rng, begun = Tally(), random.Random(asked.seed), time.monotonic()  # noqa: S311
    with interpreter(cold=asked.cold) as python, tempfile.TemporaryDirectory() as base:
        subprocess.run([python, "-c", EMPTY], cwd=base, check=True)
        start = _start(python, base)
        print(f"a command begins its first trial after {start:.1f} s", flush=True)
        rounds = [min(PER_ROUND, asked.kills - done) for done in range(0, asked.kills, PER_ROUND)]
        seeds = [rng.random() for _ in rounds]

        def run(number: int) -> None:
            folder, own = Path(base, f"round{number}").resolve(), random.Random(seeds[number])  # noqa: S311
            folder.mkdir()
            if own.random() < 0.8:  # the others are killed while MLflow's database is made
                shutil.copy(Path(base, "mlflow.db"), folder)
            sweep = [*SWEEP, f"verdict.plots={own.random() < DRAWN}"]
            Round(python, folder, start, own, tally, sweep).run(rounds[number])
            shutil.rmtree(folder)
            print(f"{time.monotonic() - begun:5.0f} s  {tally.line}", flush=True)

        with ThreadPoolExecutor(asked.at_once) as pool:
            list(pool.map(run, range(len(rounds))))
    return int(
        any(tally.found[name] for name in ("lost", "doubled", "tracebacks", "hangs", "failed"))
    )


if __name__ == "__main__":
    sys.exit(main())
