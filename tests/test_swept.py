"""A key that is set beside a swept group: the swept choices must have it, not the default one."""

from pathlib import Path

import pytest

from hydra_plugins.optuna_families import all_trials
from sweeps.checks.swept_keys import admitted
from sweeps.config.errors import ConfigError
from sweeps.config.resolvers import register_resolvers


@pytest.fixture(autouse=True)
def _resolvers() -> None:
    register_resolvers()


@pytest.mark.parametrize(
    ("typed", "forced"),
    [
        ("-m scheduler=step,exponential scheduler.gamma=0.5", ["scheduler.gamma=0.5"]),
        (
            "-m scheduler=one_cycle,cyclic scheduler.cycle_momentum=true optimizer=momentum",
            ["scheduler.cycle_momentum=true"],
        ),
        (
            "scheduler=choice(step,exponential) --multirun scheduler.gamma=0.5",
            ["scheduler.gamma=0.5"],
        ),
        ("-m scheduler=step,cosine optimizer.lr=0.1", []),
        ("-m optimizer=adam,sgd optimizer.weight_decay=0.1", []),
        ("-m optimizer=adam,adamw optimizer.betas=[0.5,0.9]", ["optimizer.betas=[0.5,0.9]"]),
        ("-m scheduler=step,exponential scheduler.gamma=0.5,0.9", []),
        ("-m scheduler=step,cosine ++scheduler.gamma=0.5", []),
        ("-m scheduler=step scheduler.gamma=0.5", []),
        ("scheduler=step,exponential scheduler.gamma=0.5", []),
    ],
)
def test_what_all_swept_choices_have_may_be_set(typed: str, forced: list[str]) -> None:
    words = typed.split()
    assert admitted(words) == [f"++{word}" if word in forced else word for word in words]


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (
            "-m scheduler=step,cosine,exponential,none scheduler.gamma=0.5",
            "scheduler.gamma=0.5 is not allowed with scheduler=step,cosine,exponential,none: there "
            "is no scheduler.gamma in cosine, none; sweep scheduler=step,exponential by itself",
        ),
        (
            "-m scheduler=step,cosine scheduler.gamma=0.5,0.9",
            "scheduler.gamma=0.5,0.9 is not allowed with scheduler=step,cosine: there is no "
            "scheduler.gamma in cosine; sweep scheduler=step by itself",
        ),
        (
            "-m scheduler=step,exponential scheduler.gama=0.5",
            "scheduler.gama=0.5 is not allowed with scheduler=step,exponential: there is no "
            "scheduler.gama in step, exponential",
        ),
    ],
)
def test_what_a_swept_choice_lacks_is_refused_by_its_name(typed: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        admitted(typed.split())
    assert str(refused.value) == complaint


def test_one_s_own_files_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "scheduler").mkdir()
    for name in ("one", "two"):
        (tmp_path / "scheduler" / f"{name}.yaml").write_text("_target_: mine\nheight: 1\n")
    words = ["-m", "--config-dir", str(tmp_path), "scheduler=one,two", "scheduler.height=2"]
    assert admitted(words) == [*words[:-1], "++scheduler.height=2"]


def test_such_a_sweep_runs_with_the_value_in_every_trial(command, tmp_path: Path) -> None:
    words = (
        "hydra.sweeper.n_trials=1",
        "tracking=none",
        "epochs=3",
        "verdict.finalists=0",
        "verdict.plots=false",
    )
    study = "hydra.sweeper.study_name=mine"
    done = command("-m", "scheduler=step,exponential", "scheduler.gamma=0.5", study, *words)
    assert done.returncode == 0, done.stderr
    families = all_trials(f"sqlite:///{tmp_path / 'mlruns' / 'optuna.db'}", "mine")
    trials = [trial for found in families.values() for trial in found]
    assert len(trials) == 2
    assert not any("gamma" in name for trial in trials for name in trial.params)
    for trial in trials:
        config = (Path(trial.user_attrs["folder"]) / "artifacts" / "config.yaml").read_text()
        assert "  gamma: 0.5\n" in config
    refused = command("-m", "scheduler=step,none", "scheduler.gamma=0.5", study, *words)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: scheduler.gamma=0.5 is not allowed with")
    assert refused.stderr.count("\n") == 1
