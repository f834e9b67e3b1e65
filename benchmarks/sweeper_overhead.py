"""What the sweeper itself costs: at import, per trial alone and in batches, in large studies.

Run: ``python benchmarks/sweeper_overhead.py`` (``--trials 1000`` for a smaller study). A trial's
cost is everything but its training: ask, config, folder with Hydra's files, HydraConfig and log,
ten reports to a pruner, tell; on SQLite.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sweeper_filling import fill

CONFIG = """
defaults:
  - scheduler: cosine
  - override hydra/sweeper: optuna
  - _self_
epochs: 100
seeds: [1, 2, 3]
optimizer: {_target_: torch.optim.SGD, lr: 0.25, momentum: 0.0, nesterov: false}
task: {_target_: lrlab.tasks.linear_regression, n: 1000, p: 5, noise: 0.2, seed: 42}
"""
SCHEDULER = """
_target_: torch.optim.lr_scheduler.CosineAnnealingLR
T_max: ${epochs}
eta_min: 0.0
search: {T_max: 'range(10, ${epochs})', eta_min: 'interval(0.0, 0.01)'}
"""
PARTS = ("ask", "folder", "inside", "report", "tell")
REPORTS = 10


def milliseconds(action: Callable[[], Any], repeats: int) -> float:
    """Return the median time of an action."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return 1000 * statistics.median(times)


def import_cost() -> float:
    """Return what Hydra's scan spends on this plugin in a program that does not sweep, in ms."""
    code = (
        "from hydra.core.plugins import Plugins; p = Plugins.instance().get_stats(); "
        "print(sum(t for m, t in p.modules_import_time.items() if 'optuna_families' in m)); "
        "import sys; assert 'optuna' not in sys.modules"
    )
    found = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    return 1000 * statistics.median(found)


def client(folder: Path, *lines: str, size: int = 1) -> tuple[Any, Any]:
    """Return an ask-and-tell client of a fresh study for batches of a size, and Hydra's context."""
    from hydra import version
    from hydra._internal.callbacks import Callbacks
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import HydraContext, RunMode

    from hydra_plugins.optuna_families import in_batches
    from optuna_families import settings
    from optuna_families.configs.compose import Composer
    from optuna_families.search_space import overrides
    from optuna_families.sweep import prepare
    from optuna_families.trials.ask_tell import AskTell
    from optuna_families.trials.batch_size import BatchSizes
    from optuna_families.trials.study_cache import StudyCache

    version.setbase("1.3")
    GlobalHydra.instance().clear()
    (folder / "conf/scheduler").mkdir(parents=True)
    (folder / "conf/config.yaml").write_text(CONFIG)
    (folder / "conf/scheduler/cosine.yaml").write_text(SCHEDULER)
    hydra = Hydra.create_main_hydra2("app", create_config_search_path(str(folder / "conf")))
    lines = (*lines, f"hydra.sweep.dir={folder}/out", "hydra.sweeper.n_trials=1000000")
    lines = (*lines, f"hydra.sweeper.storage=sqlite:///{folder}/a.db", "hydra.mode=MULTIRUN")
    config = hydra.compose_config("config", list(lines), RunMode.MULTIRUN)
    values = {k: v for k, v in config.hydra.sweeper.items() if not k.startswith("_")}
    settings = settings.read(values | {"batch_size": size})
    arguments = overrides.sort(["optimizer.lr=interval(0.01, 1)"], hydra.config_loader, config)
    composer = Composer(hydra.config_loader, config, arguments, settings.search_key)
    plan = prepare.make(settings, config, composer)
    cache = StudyCache(plan, composer, 0)
    task = in_batches(lambda jobs: [(job, 0.0) for job in jobs], size=lambda _: size)(lambda _: 0.0)
    at = AskTell(cache, BatchSizes(cache, task))
    return at, HydraContext(hydra.config_loader, Callbacks())


def hydras(at: Any, context: Any) -> tuple[float, float]:
    """Return what Hydra itself spends on a job: composition, and its run_job, in ms."""
    from hydra.core.utils import run_job
    from omegaconf import open_dict

    composer = at.cache.composer

    def compose() -> Any:
        return composer.loader.load_sweep_config(composer.master, ["optimizer.lr=0.1"])

    config = compose()
    with open_dict(config):
        config.hydra.job.num, config.hydra.job.id = 1, "1"

    def run() -> None:
        run_job(lambda _: 0.0, config, "hydra.sweep.dir", "hydra.sweep.subdir", context)

    return milliseconds(compose, 10), milliseconds(run, 20)


class Meter:
    """Keeps CPU time and time by the clock of each part of each batch, in ms per trial."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.cpu: dict[str, list[float]] = {part: [] for part in PARTS}
        self.wall: dict[str, list[float]] = {part: [] for part in PARTS}

    @contextmanager
    def __call__(self, part: str) -> Any:
        """Measure what happens in here."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.cpu[part].append(1000 * (time.process_time() - cpu) / self.size)
        self.wall[part].append(1000 * (time.perf_counter() - wall) / self.size)

    def medians(self, clock: str) -> dict[str, float]:
        """Return each part's time; the median, as other programs run here, too."""
        return {part: statistics.median(times) for part, times in getattr(self, clock).items()}


def run_batches(at: Any, trials: int, size: int = 1) -> Meter:
    """Run so many trials that do nothing, in batches of a size, and return what they cost."""
    from optuna_families.outcomes import Outcome
    from optuna_families.workers.run_one import job

    meter = Meter(size)
    for _ in range(max(1, trials // size)):
        with meter("ask"):
            batch = at.ask()
        with meter("folder"):
            jobs = [job(planned, at) for planned in batch]
        with meter("inside"):
            for one in jobs:
                with one.inside():
                    pass
        with meter("report"):
            for step in range(REPORTS):
                for one in jobs:
                    one.report(1.0 + step, step)
        with meter("tell"):
            at.tell_all([(planned, Outcome("COMPLETE", (1.0,))) for planned in batch])
    return meter


def table(sampler: str, sizes: list[int], studies: list[int], trials: int) -> None:
    """Print a trial's cost by the size of its batch and of its study."""
    print(f"\n{sampler}: CPU ms per trial (wall ms in brackets)")
    print(f"{'batch':>6} {'study':>7}", *(f"{part:>8}" for part in PARTS), f"{'all':>8}")
    for size in sizes:
        totals = []
        for study in studies:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                pruner = "hydra/sweeper/pruner=median"
                at, _ = client(folder, f"hydra/sweeper/sampler={sampler}", pruner, size=size)
                run_batches(at, 2 * size, size)  # imports, templates, what fillers are copies of
                fill(at, study - sum(t.begun for t in at.cache.all_counts()))
                run_batches(at, 2 * size, size)  # reads the study
                meter = run_batches(at, trials, size)
            cpu, wall = meter.medians("cpu"), sum(meter.medians("wall").values())
            totals.append(sum(cpu.values()))
            cells = [f"{cpu[part]:8.2f}" for part in PARTS]
            print(f"{size:6} {study:7}", *cells, f"{totals[-1]:8.2f}  ({wall:.2f})", flush=True)
        print(f"{'':14} {studies[-1]} trials cost {totals[-1] / totals[0]:.2f} times {studies[0]}")


def first_load(at: Any) -> float:
    """Return how long a new process takes to read the whole study, in ms."""
    from hydra_plugins.optuna_families import all_trials

    url, name = at.plan.storage, at.plan.name
    return milliseconds(lambda: all_trials(url, name), 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--samplers", nargs="+", default=["random", "tpe"])
    parser.add_argument("--repeats", type=int, default=192, help="trials to measure")
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print(f"import in a program that does not sweep   {import_cost():8.1f} ms")
    with tempfile.TemporaryDirectory() as name:
        at, context = client(Path(name))
        at.tell_all([(one, _complete()) for one in at.ask()])
        compose, run = hydras(at, context)
        print(f"Hydra's own: composition              {compose:8.1f} ms")
        print(f"Hydra's own: run_job                      {run:8.1f} ms")
        fill(at, asked.trials)
        print(f"first read of {asked.trials} trials               {first_load(at):8.1f} ms")
    for sampler in asked.samplers:
        table(sampler, [1, 8, 32], [100, asked.trials], asked.repeats)


def _complete() -> Any:
    from optuna_families.outcomes import Outcome

    return Outcome("COMPLETE", (0.0,))


if __name__ == "__main__":
    main()
