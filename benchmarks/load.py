"""Many workers on one study: how many trials a second, whether the count is exact, what fails.

Run: ``python -m benchmarks.load`` (16 workers, 5000 trials, PostgreSQL), or with several values:
``--workers 1 4 16 --storage sqlite postgresql``. The workers belong to several commands, as on
several machines. A trial takes no time of its own, so that the study is all that is measured.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring.servers import postgresql

APP = """
import time
import hydra

@hydra.main(version_base="1.3", config_path=None)
def main(cfg):
    time.sleep(cfg.seconds)
    return cfg.x

if __name__ == "__main__":
    main()
"""
STUDY = "hydra.sweeper.study_name=load"
PER_COMMAND = 4  # workers


@dataclass(frozen=True)
class Load:
    """One measurement: of so many workers, trials, and what storage."""

    storage: str
    workers: int
    trials: int
    seconds: float
    batch: int
    sampler: str

    def run(self, folder: Path, url: str) -> str:
        """Run it; give its row of the table."""
        (folder / "app.py").write_text(APP)
        words = [
            *(
                "-m",
                "hydra/sweeper=optuna",
                "hydra/launcher=joblib",
                f"hydra.sweeper.storage='{url}'",
            ),
            *(STUDY, f"hydra.sweeper.n_trials={self.trials}", "hydra.sweep.dir=out"),
            *(f"hydra/sweeper/sampler={self.sampler}", "+x=interval(0, 1)"),
            *(f"+seconds={self.seconds}", f"hydra.sweeper.batch_size={self.batch}"),
            *("hydra.output_subdir=null", "hydra/job_logging=disabled"),
        ]
        commands = []
        for first in range(0, self.workers, PER_COMMAND):
            jobs = min(PER_COMMAND, self.workers - first)
            own = [f"hydra.sweeper.n_jobs={jobs}", f"hydra.launcher.n_jobs={jobs}"]
            commands.append(_start(folder, [*words, *own]))
        errors = [command.communicate()[1] for command in commands]
        failed = sum(command.returncode != 0 for command in commands)
        said = sum(len(error.splitlines()) for error in errors)
        for error in filter(None, errors):
            print(error[-1000:], file=sys.stderr)
        return self._row(url if "://" in url else "", folder, failed, said)

    def _row(self, url: str, folder: Path, failed: int, said: int) -> str:
        states, rate = _found(folder, url)
        exact = "exact" if states == {"COMPLETE": self.trials} else f"{dict(states)}"
        head = f"| {self.storage} | {self.workers} | {self.trials} | {rate:.0f} |"
        return f"{head} {exact} | {failed} failed commands, {said} lines of errors |"


def _start(folder: Path, words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "app.py", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _found(folder: Path, url: str) -> tuple[Counter[str], float]:
    """How many trials ended how, and the rate from the first one's begin to the last one's end.

    Of the middle: the commands neither begin nor end together.
    """
    from hydra_plugins.optuna_families import all_trials

    address = url.replace("sqlite:///", f"sqlite:///{folder}/") if "sqlite" in url else url
    trials = all_trials(address, "load")[""]
    ends = sorted(t.datetime_complete for t in trials if t.datetime_complete)
    first, last = len(ends) // 10, len(ends) * 9 // 10
    span = (ends[last] - ends[first]).total_seconds()
    return Counter(t.state.name for t in trials), (last - first) / max(span, 1e-9)


@contextmanager
def storage(kind: str) -> Iterator[str]:
    """The URL of a storage: `sqlite`, `postgresql` (a server is started), or a URL itself."""
    if kind == "postgresql":
        with postgresql() as url:
            yield url
    else:
        yield "sqlite:///study.db" if kind == "sqlite" else kind


def main() -> None:
    """Print a row for each combination."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[16])
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--storage", nargs="+", default=["postgresql"])
    parser.add_argument("--seconds", type=float, default=0.0, help="that a trial takes")
    parser.add_argument("--batch", type=int, default=1, help="trials asked for together")
    parser.add_argument("--sampler", default="random")
    asked = parser.parse_args()
    print("| storage | workers | trials | trials a second | count | errors |")
    print("|---|---:|---:|---:|---|---|")
    for workers in asked.workers:
        for kind in asked.storage:
            with storage(kind) as url, tempfile.TemporaryDirectory() as folder:
                settings = (asked.trials, asked.seconds, asked.batch, asked.sampler)
                print(Load(kind, workers, *settings).run(Path(folder), url), flush=True)


if __name__ == "__main__":
    main()
