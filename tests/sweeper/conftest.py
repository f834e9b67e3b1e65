"""Small apps of our own, run in this process or as real commands."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from omegaconf import OmegaConf

STORAGE = "sqlite:///mlruns/optuna.db"

FILES = {
    "conf/config.yaml": """
        defaults:
          - scheduler: cosine
          - optimizer: sgd
          - override hydra/sweeper: optuna
          - _self_
        epochs: 10
        seconds: 0.0
        together: 1
        fail: none
        hydra:
          sweeper:
            may_differ: [seconds, together, fail]
    """,
    "conf/scheduler/cosine.yaml": """
        T_max: ${epochs}
        eta_min: 0.0
        search:
          T_max: range(1, ${epochs})
          eta_min: interval(0.0, 0.01)
    """,
    "conf/scheduler/step.yaml": """
        gamma: 0.5
        step_size: 3
        search:
          gamma: interval(0.1, 0.9)
          step_size: range(1, 5)
    """,
    "conf/scheduler/exponential.yaml": """
        gamma: 0.99
        search:
          gamma: tag(log, interval(0.5, 1.0))
    """,
    "conf/scheduler/none.yaml": "kind: constant",
    "conf/optimizer/sgd.yaml": """
        lr: 0.1
        search:
          lr: tag(log, interval(0.001, 1.0))
    """,
    "app.py": """
        import math
        import time
        from pathlib import Path

        import hydra
        from hydra.core.hydra_config import HydraConfig
        from hydra_plugins.optuna_families import in_batches, report

        def most(cfg):
            return cfg.together

        def together(jobs):
            for job in jobs:
                cfg = job.config
                time.sleep(cfg.seconds / 4)
                loss = (math.log10(cfg.optimizer.lr) + 1) ** 2 + cfg.scheduler.get("gamma", 0.3)
                if any(job.report(loss + 1 / (1 + epoch), epoch) for epoch in range(cfg.epochs)):
                    yield job, None
                    continue
                (job.folder / "done").write_text(str(loss))
                yield job, loss

        @hydra.main(version_base="1.3", config_path="conf", config_name="config")
        @in_batches(together, size=most)
        def main(cfg):
            loss = (math.log10(cfg.optimizer.lr) + 1) ** 2 + cfg.scheduler.get("gamma", 0.3)
            for epoch in range(cfg.epochs):
                time.sleep(cfg.seconds / cfg.epochs)
                if report(loss + 1 / (1 + epoch), epoch):
                    break
            done = Path(HydraConfig.get().runtime.output_dir) / "done"
            done.write_text(str(loss))
            return loss

        if __name__ == "__main__":
            main()
    """,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app with families, in the current folder."""
    for name, text in FILES.items():
        write(tmp_path / name, text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    """Write an app of one's own into the current folder."""
    monkeypatch.chdir(tmp_path)

    def make(contents: dict[str, str]) -> Path:
        for name, text in contents.items():
            write(tmp_path / name, text)
        return tmp_path

    return make


@pytest.fixture
def command(
    request: pytest.FixtureRequest, python: str
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``python app.py -m ...`` and leave it running."""
    started: list[subprocess.Popen[str]] = []
    covered = request.node.get_closest_marker("covered")
    measured = {k: v for k, v in os.environ.items() if covered or not k.startswith("COVERAGE_")}

    def start(*overrides: str, app: str = "app.py", **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [python, app, "-m", *overrides],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**measured, **environment},
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


@pytest.fixture
def run(command: Callable[..., Any]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``python app.py -m ...`` to its end."""

    def finish(*overrides: str, **options: str) -> subprocess.CompletedProcess[str]:
        process = command(*overrides, **options)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return finish


@pytest.fixture
def sweep(hydra_restore_singletons: Any) -> Iterator[Callable[..., None]]:
    """Sweep a function in this process over the config in ``conf``."""
    from hydra import version
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra

    def go(task: Callable[[Any], Any], *overrides: str) -> None:
        version.setbase("1.3")
        GlobalHydra.instance().clear()
        hydra = Hydra.create_main_hydra2(
            "app", create_config_search_path(str(Path("conf").absolute()))
        )
        lines = [*overrides, "hydra.mode=MULTIRUN"]
        hydra.multirun("config", task, lines, with_log_configuration=False)

    yield go
    GlobalHydra.instance().clear()


@pytest.fixture
def trials() -> Callable[..., list[Any]]:
    """Read all trials of a study, whatever their state."""

    def read(study: str, storage: str = STORAGE) -> list[Any]:
        import optuna

        return optuna.load_study(study_name=study, storage=storage).get_trials()

    return read


@pytest.fixture
def results() -> Callable[[], Any]:
    """Read the only sweep's optimization_results.yaml."""

    def read() -> Any:
        (file,) = Path("multirun").glob("*/*/optimization_results.yaml")
        return OmegaConf.load(file)

    return read
