"""Configs and code that were written for the official plugin, as public projects have them."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import optuna
import pytest
from hydra.core.config_store import ConfigStore
from hydra.errors import CompactHydraException
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

PLAIN = """
    defaults:
      - override hydra/sweeper: optuna
      - _self_
    x: 1.0
    hydra:
      sweep:
        dir: out
      sweeper:
        n_trials: 1
        study_name: mine
        storage: sqlite:///mine.db
"""
SEARCH = """
    # @package _global_
    defaults:
      - override /hydra/sweeper: optuna
      - override /hydra/sweeper/sampler: {sampler}
    hydra:
      mode: MULTIRUN
      sweep:
        dir: out
      sweeper:
        _target_: hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper
        storage: null
        study_name: null
        n_jobs: 1
        direction: maximize
        n_trials: 3
        sampler:
          _target_: optuna.samplers.TPESampler
          seed: 1234
          n_startup_trials: 10
          consider_prior: true
          prior_weight: 1.0
          consider_magic_clip: true
          consider_endpoints: false
          n_ei_candidates: 24
          multivariate: false
          warn_independent_sampling: true
        params:
          model.lr: interval(0.0001, 0.1)
          data.batch_size: choice(32, 64, 128, 256)
"""
STORAGE = "storage: sqlite:///mine.db"
APP = """
    import hydra
    from hydra_plugins.hydra_optuna_sweeper.config import OptunaSweeperConf, TPESamplerConfig
    from hydra_plugins.hydra_optuna_sweeper.optuna_sweeper import OptunaSweeper

    @hydra.main(version_base="1.3", config_path="conf", config_name="config")
    def main(cfg):
        return cfg.model.lr * cfg.data.batch_size

    if __name__ == "__main__":
        main()
"""


def best() -> Any:
    return OmegaConf.load("out/optimization_results.yaml")


def distributions() -> dict[str, Any]:
    study = optuna.load_study(study_name="mine", storage="sqlite:///mine.db")
    return study.trials[0].distributions


def plain(settings: str) -> dict[str, str]:
    return {"conf/config.yaml": dedent(PLAIN) + indent(dedent(settings), "    ")}


def test_a_config_with_the_official_class_and_multirun_mode_needs_no_m(files: Any) -> None:
    files(
        {
            "conf/config.yaml": """
                defaults: [_self_, {hparams_search: null}]
                model: {lr: 0.1}
                data: {batch_size: 32}
            """,
            "conf/hparams_search/mine.yaml": SEARCH.format(sampler="tpe"),
            "app.py": APP,
        }
    )
    command = [sys.executable, "app.py", "hparams_search=mine"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(best().best_params) == {"model.lr", "data.batch_size"}


@pytest.mark.filterwarnings("ignore:.*has been deprecated:FutureWarning")  # Optuna's, of old keys
def test_a_sampler_node_in_the_config_needs_no_group(files: Any, sweep: Any) -> None:
    head = "defaults: [_self_, {hparams_search: mine}]\nmodel: {lr: 0.1}\ndata: {batch_size: 32}"
    text = SEARCH.format(sampler="null")
    files({"conf/config.yaml": head, "conf/hparams_search/mine.yaml": text})
    sweep(lambda cfg: float(cfg.model.lr))
    assert best().best_value == best().best_params["model.lr"]


def test_structured_configs_of_the_official_names_are_swept(files: Any, sweep: Any) -> None:
    from hydra_plugins.hydra_optuna_sweeper.config import (
        Direction,
        OptunaSweeperConf,
        TPESamplerConfig,
    )

    @dataclass
    class Sampler(TPESamplerConfig):  # type: ignore[misc,valid-type]
        seed: int = 1234
        n_startup_trials: int = 2

    @dataclass
    class Sweeper(OptunaSweeperConf):  # type: ignore[misc,valid-type]
        defaults: list[Any] = field(default_factory=lambda: ["_self_", {"sampler": "mine"}])
        direction: Any = Direction.maximize
        study_name: str | None = "mine"
        storage: Any = "sqlite:///mine.db"
        n_trials: int = 3
        params: dict[str, str] | None = field(default_factory=lambda: {"x": "interval(0, 1)"})

    ConfigStore.instance().store(group="hydra/sweeper/sampler", name="mine", node=Sampler)
    ConfigStore.instance().store(group="hydra/sweeper", name="mine", node=Sweeper)
    files({"conf/config.yaml": "{defaults: [override hydra/sweeper: mine], x: 1.0}"})
    sweep(lambda cfg: float(cfg.x), "hydra.sweep.dir=out")
    study = optuna.load_study(study_name="mine", storage="sqlite:///mine.db")
    assert study.direction.name == "MAXIMIZE"
    assert best().best_value == max(trial.params["x"] for trial in study.trials)


def test_a_user_s_sweeper_file_may_leave_recursive_true(files: Any, sweep: Any) -> None:
    sweeper = """
        _target_: hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper
        sampler: {_target_: optuna.samplers._random.RandomSampler, seed: 3}
        storage: {_target_: optuna.storages.RDBStorage, url: "sqlite:///mine.db"}
        direction: ${goal}imize
        study_name: mine
        n_trials: 2
        params: {x: "range(1, 9)"}
    """
    config = "{defaults: [override hydra/sweeper: own], x: 1, goal: max}"
    files({"conf/config.yaml": config, "conf/hydra/sweeper/own.yaml": sweeper})
    sweep(lambda cfg: float(cfg.x), "hydra.sweep.dir=out")
    assert distributions() == {"x": IntDistribution(1, 9)}


def test_the_old_search_space_is_translated_and_its_new_place_named(
    files: Any, sweep: Any, caplog: pytest.LogCaptureFixture
) -> None:
    space = """
        search_space:
          +few: {type: int, low: 0, high: 5}
          +even: {type: int, low: 0, high: 10, step: 2}
          +decades: {type: int, low: 1, high: 100, log: true}
          x: {type: float, low: 0, high: 1}
          +coarse: {type: float, low: 0, high: 10, step: 2}
          +tiny: {type: float, low: 1e-5, high: 1, log: true}
          +kind: {type: categorical, choices: [1, "1", "a, b", null, true, 0.5]}
    """
    files(plain(space))
    sweep(lambda cfg: float(cfg.x))
    assert distributions() == {
        "+few": IntDistribution(0, 5),
        "+even": IntDistribution(0, 10, step=2),
        "+decades": IntDistribution(1, 100, log=True),
        "x": FloatDistribution(0, 1),
        "+coarse": FloatDistribution(0, 10, step=2),
        "+tiny": FloatDistribution(1e-5, 1, log=True),
        "+kind": CategoricalDistribution([1, "1", "a, b", None, True, 0.5]),
    }
    assert "move it to hydra.sweeper.params, with ranges such as +few: range(0, 5" in caplog.text


def test_params_override_search_space(
    files: Any, sweep: Any, caplog: pytest.LogCaptureFixture
) -> None:
    files(
        plain("""
        search_space: {x: {type: float, low: 0, high: 1}}
        params: {x: "interval(2, 3)"}
    """)
    )
    sweep(lambda cfg: float(cfg.x))
    assert distributions() == {"x": FloatDistribution(2, 3)}
    assert "hydra.sweeper.search_space is not used" in caplog.text


@pytest.mark.parametrize("old", ["{type: float, low: 0}", "'interval(0, 1)'", "{type: uniform}"])
def test_an_old_range_that_cannot_be_read_is_refused_by_its_key(
    files: Any, sweep: Any, old: str
) -> None:
    files(plain(f"search_space: {{x: {old}}}"))
    with pytest.raises(CompactHydraException, match=r"search_space\.x: .* hydra\.sweeper\.params"):
        sweep(lambda cfg: float(cfg.x))


def test_the_url_of_a_storage_object_is_used(
    files: Any, sweep: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings = """
        params: {x: "interval(0, 1)"}
        storage:
          _target_: optuna.storages.RDBStorage
          url: sqlite:///mine.db
          engine_kwargs: {pool_pre_ping: true}
    """
    files({"conf/config.yaml": plain(settings)["conf/config.yaml"].replace(STORAGE, "")})
    sweep(lambda cfg: float(cfg.x))
    assert distributions() == {"x": FloatDistribution(0, 1)}
    assert "only its url is used, not engine_kwargs" in caplog.text


def test_another_storage_object_is_refused_by_name(files: Any, sweep: Any) -> None:
    files(plain('params: {x: "interval(0, 1)"}'))
    line = "hydra.sweeper.storage={_target_:optuna.storages.JournalStorage}"
    with pytest.raises(CompactHydraException, match=r"must be a database URL.*JournalStorage"):
        sweep(lambda cfg: float(cfg.x), line)


@pytest.mark.cold
def test_a_sweep_beside_the_official_plugin_is_rejected(folder: Path, run: Any) -> None:
    info = folder / "site/hydra_optuna_sweeper-1.3.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: hydra-optuna-sweeper\nVersion: 1.3.0\n"
    )
    done = run(PYTHONPATH=before("site"))
    assert done.returncode == 1
    assert "pip uninstall hydra-optuna-sweeper" in done.stderr
    assert "Traceback" not in done.stderr


def test_files_of_the_official_plugin_in_place_of_ours_are_reported(folder: Path) -> None:
    other = folder / "site/hydra_plugins/hydra_optuna_sweeper"
    other.mkdir(parents=True)
    (other / "__init__.py").touch()
    (other / "optuna_sweeper.py").write_text("class OptunaSweeper: pass")
    code = "from hydra.core.plugins import Plugins; Plugins.instance()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": before("site")},
    )
    assert done.returncode == 0
    assert "pip uninstall hydra-optuna-sweeper" in done.stderr


def before(folder: str) -> str:
    return os.pathsep.join(
        filter(None, [str(Path(folder).absolute()), os.environ.get("PYTHONPATH")])
    )
