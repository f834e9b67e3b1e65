"""What the sweeper itself costs: at import, per trial, and in a study of 10,000 trials.

Run: ``python benchmarks/sweeper_overhead.py`` (``--trials 1000`` for a smaller study).
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
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


def desk(folder: Path, *lines: str) -> tuple[Any, Any]:
    """Return a desk at a fresh study, and Hydra's context."""
    from hydra import version
    from hydra._internal.callbacks import Callbacks
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import HydraContext, RunMode

    from hydra_plugins.optuna_families import _arguments, _planning, _settings
    from hydra_plugins.optuna_families._asking import Desk
    from hydra_plugins.optuna_families._composing import Composer
    from hydra_plugins.optuna_families._shelves import Shelf

    version.setbase("1.3")
    GlobalHydra.instance().clear()
    (folder / "conf/scheduler").mkdir(parents=True)
    (folder / "conf/config.yaml").write_text(CONFIG)
    (folder / "conf/scheduler/cosine.yaml").write_text(SCHEDULER)
    hydra = Hydra.create_main_hydra2("app", create_config_search_path(str(folder / "conf")))
    config = hydra.compose_config("config", [*lines, "hydra.mode=MULTIRUN"], RunMode.MULTIRUN)
    values = {k: v for k, v in config.hydra.sweeper.items() if not k.startswith("_")}
    settings = _settings.read(values)
    arguments = _arguments.sort(["optimizer.lr=interval(0.01, 1)"], hydra.config_loader, config)
    composer = Composer(hydra.config_loader, config, arguments, settings.search_key)
    plan = _planning.make(settings, config, composer)
    return Desk(Shelf(plan, composer, 0)), HydraContext(hydra.config_loader, Callbacks())


def filling(at: Any) -> float:
    """Return what putting a trial's values into a copy of its config takes, in ms."""
    asked = at.ask()
    base = asked.composition
    return milliseconds(lambda: (base.lines(asked.params), base.filled(asked.params)), 200)


def hydras(at: Any, context: Any) -> tuple[float, float]:
    """Return what Hydra itself spends on a job: composition, and its run_job, in ms."""
    from hydra.core.utils import run_job
    from omegaconf import open_dict

    composer = at.shelf.composer

    def compose() -> Any:
        return composer.loader.load_sweep_config(composer.master, ["optimizer.lr=0.1"])

    config = compose()
    with open_dict(config):
        config.hydra.job.num, config.hydra.job.id = 1, "1"

    def run() -> None:
        run_job(lambda _: 0.0, config, "hydra.sweep.dir", "hydra.sweep.subdir", context)

    return milliseconds(compose, 10), milliseconds(run, 20)


def overhead(at: Any, context: Any) -> float:
    """Return space, composition, job folder, YAML files and logs of one trial, in ms."""
    from hydra_plugins.optuna_families import _jobs

    asked = at.ask()

    def once() -> None:
        overrides = asked.composition.lines(asked.params)
        base = asked.composition
        made, texts = base.filled(asked.params), (base.notes, base.logging)
        job = _jobs.Job(once.number, overrides, *made, *texts, at.plan.folder)  # type: ignore[attr-defined]
        _jobs.run(job, lambda _: 0.0, context, lambda _: None)
        once.number += 1  # type: ignore[attr-defined]

    once.number = 1000  # type: ignore[attr-defined]
    return milliseconds(once, 200)


def complete(value: float) -> Any:
    """Return the outcome of a trial that went well."""
    from hydra_plugins.optuna_families._outcomes import Outcome

    return Outcome("COMPLETE", (value,))


def ask_and_tell(at: Any, repeats: int) -> tuple[float, float]:
    """Return the time of an ask and of a tell, in ms."""
    held: list[Any] = []
    asks, tells = [], []
    at.tell(at.ask(), complete(1.0))  # imports and the first load are told apart
    for _ in range(repeats):
        asks.append(milliseconds(lambda: held.append(at.ask()), 1))
        tells.append(milliseconds(lambda: at.tell(held.pop(), complete(1.0)), 1))
    return statistics.median(asks), statistics.median(tells)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=10_000)
    n_trials = parser.parse_args().trials
    print(f"import in a program that does not sweep   {import_cost():8.1f} ms")
    for sampler in ("random", "tpe"):
        lines = [f"hydra/sweeper/sampler={sampler}", "hydra.sweeper.n_trials=1000000"]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lines += [
                f"hydra.sweep.dir={folder}/out",
                f"hydra.sweeper.storage=sqlite:///{folder}/a.db",
            ]
            at, context = desk(folder, *lines)
            at.tell(at.ask(), complete(0.0))  # what the fillers are copies of
            if sampler == "random":
                print(f"values and config of a trial              {filling(at):8.1f} ms")
                print(f"the same with its job: folder, YAML, logs {overhead(at, context):8.1f} ms")
                print(f"Hydra's own: composition                  {hydras(at, context)[0]:8.1f} ms")
                print(f"Hydra's own: run_job                      {hydras(at, context)[1]:8.1f} ms")
            for size in (100, n_trials):
                fill(at, size - sum(t.begun for t in at.shelf.tallies()))
                ask, tell = ask_and_tell(at, 30)
                print(f"{sampler:7} at {size:6} trials: ask             {ask:8.1f} ms")
                print(f"{sampler:7} at {size:6} trials: tell            {tell:8.1f} ms")
            print(f"{sampler:7} at {n_trials:6} trials: first load      {first_load(at):8.1f} ms")


def first_load(at: Any) -> float:
    """Return how long a new process takes to read the study, in ms."""
    from hydra_plugins.optuna_families import _databases

    _databases.connect.cache_clear()
    storage = _databases.connect(at.plan.storage).storage
    study = storage.get_study_id_from_name(at.plan.families[0].study)
    return milliseconds(lambda: storage.get_all_trials(study, deepcopy=False), 1)


if __name__ == "__main__":
    main()
