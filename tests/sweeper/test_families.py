"""Families at equal budget, each over the space of its own file."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import IntDistribution

from hydra_plugins.optuna_families import finished_trials

pytestmark = pytest.mark.covered

STORAGE = "sqlite:///mlruns/optuna.db"
NAME = "hydra.sweeper.study_name=s"


def loss(cfg: Any) -> float:
    return float(cfg.optimizer.lr + cfg.scheduler.get("gamma", 0.3))


@pytest.mark.parametrize("which", ["cosine,step,exponential", "choice(cosine,step,exponential)"])
def test_each_family_gets_the_same_number_of_trials_in_turn(
    folder: Path, sweep: Any, which: str
) -> None:
    sweep(loss, f"scheduler={which}", "hydra.sweeper.n_trials=3", NAME)
    found = finished_trials(STORAGE, "s")
    numbers = [[t.user_attrs["number"] for t in trials] for trials in found.values()]
    assert list(found) == ["scheduler=cosine", "scheduler=step", "scheduler=exponential"]
    assert numbers == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]


def test_glob_compares_every_file_of_the_group(folder: Path, sweep: Any) -> None:
    sweep(loss, "scheduler=glob(*)", "hydra.sweeper.n_trials=2", NAME)
    found = {family: len(trials) for family, trials in finished_trials(STORAGE, "s").items()}
    names = ("cosine", "exponential", "none", "step")
    assert found == {f"scheduler={name}": 2 for name in names}


def test_the_families_of_two_groups_are_their_pairs(folder: Path, sweep: Any) -> None:
    (folder / "conf/optimizer/adam.yaml").write_text("lr: 0.01")
    lines = ("scheduler=cosine,step", "optimizer=sgd,adam", "hydra.sweeper.n_trials=1", NAME)
    sweep(loss, *lines)
    assert list(finished_trials(STORAGE, "s")) == [
        "scheduler=cosine,optimizer=sgd",
        "scheduler=cosine,optimizer=adam",
        "scheduler=step,optimizer=sgd",
        "scheduler=step,optimizer=adam",
    ]


def test_parameters_carry_their_family_and_their_own_range(folder: Path, sweep: Any) -> None:
    sweep(loss, "scheduler=step,exponential", "hydra.sweeper.n_trials=2", NAME)
    step, exponential = finished_trials(STORAGE, "s").values()
    assert set(step[0].params) == {
        "step/scheduler.gamma",
        "step/scheduler.step_size",
        "optimizer.lr",
    }
    assert set(exponential[0].params) == {"exponential/scheduler.gamma", "optimizer.lr"}


def test_a_range_follows_the_composed_config(folder: Path, sweep: Any) -> None:
    sweep(loss, "epochs=7", "hydra.sweeper.n_trials=1", NAME)
    (trial,) = finished_trials(STORAGE, "s")[""]
    assert trial.distributions["scheduler.T_max"] == IntDistribution(1, 7)


def test_a_family_starts_with_the_file_s_own_values(folder: Path, sweep: Any) -> None:
    sweep(loss, "scheduler=step,exponential", "hydra.sweeper.n_trials=2", NAME)
    step, exponential = finished_trials(STORAGE, "s").values()
    assert set(step[0].params.values()) == {0.5, 3, 0.1}
    assert set(exponential[0].params.values()) == {0.99, 0.1}


def test_values_outside_the_range_are_no_first_trial(folder: Path, sweep: Any) -> None:
    sweep(loss, "optimizer.lr=interval(0.5, 0.9)", "hydra.sweeper.n_trials=1", NAME)
    (trial,) = finished_trials(STORAGE, "s")[""]
    assert trial.params["optimizer.lr"] >= 0.5


def test_what_the_user_fixes_leaves_the_space(folder: Path, sweep: Any) -> None:
    sweep(loss, "scheduler.T_max=4", "hydra.sweeper.n_trials=3", NAME)
    trials = finished_trials(STORAGE, "s")[""]
    assert set(trials[0].params) == {"scheduler.eta_min", "optimizer.lr"}
    assert all("scheduler.T_max=4" in t.user_attrs["overrides"] for t in trials)


def test_a_sweep_on_the_command_line_replaces_the_file_s_range(folder: Path, sweep: Any) -> None:
    sweep(loss, "scheduler.T_max=range(20, 30)", "hydra.sweeper.n_trials=2", NAME)
    trials = finished_trials(STORAGE, "s")[""]
    assert all(20 <= t.params["scheduler.T_max"] <= 30 for t in trials)


def test_the_sweeper_s_params_replace_the_file_s_range_too(folder: Path, sweep: Any) -> None:
    params = "hydra.sweeper.params={scheduler.T_max: 'choice(2,3)', epochs: 5}"
    sweep(loss, params, "hydra.sweeper.n_trials=3", NAME)
    trials = finished_trials(STORAGE, "s")[""]
    assert {t.params["scheduler.T_max"] for t in trials} <= {2, 3}
    assert all("epochs=5" in t.user_attrs["overrides"] for t in trials)


def test_the_official_behaviour_is_one_categorical(folder: Path, sweep: Any) -> None:
    lines = ("scheduler=step,exponential", "hydra.sweeper.families=false")
    sweep(loss, *lines, "hydra.sweeper.n_trials=12", NAME)
    trials = finished_trials(STORAGE, "s")[""]
    assert len(trials) == 12
    for trial in trials:
        own = {name for name in trial.params if name.startswith(trial.params["scheduler"])}
        assert own
        assert own | {"scheduler", "optimizer.lr"} == set(trial.params)
    assert len({t.params["scheduler"] for t in trials}) == 2


def test_a_grid_walks_each_family_s_own_points(folder: Path, sweep: Any) -> None:
    lines = ("scheduler=step,none", "optimizer.lr=0.1,0.2", "hydra/sweeper/sampler=grid")
    (folder / "conf/scheduler/step.yaml").write_text("gamma: 1\nsearch: {gamma: [1, 2, 3]}")
    sweep(loss, *lines, NAME)
    found = finished_trials(STORAGE, "s")
    assert {family: len(trials) for family, trials in found.items()} == {
        "scheduler=step": 6,
        "scheduler=none": 2,
    }
    points = Counter(tuple(t.params.values()) for trials in found.values() for t in trials)
    assert set(points.values()) == {1}


def test_a_search_node_that_is_no_space_is_left_alone(files: Any, sweep: Any) -> None:
    config = """
        defaults:
          - override hydra/sweeper: optuna
        x: 1.0
        search: {engine: fast, depth: 3, terms: 'a,b', nested: {search: [1, 2]}}
    """
    files({"conf/config.yaml": config})
    sweep(lambda cfg: cfg.x, "x=interval(0, 1)", "hydra.sweeper.n_trials=2", NAME)
    assert set(finished_trials(STORAGE, "s")[""][0].params) == {"x"}


def test_search_nodes_can_be_switched_off(folder: Path, sweep: Any) -> None:
    lines = ("hydra.sweeper.search_key=null", "hydra.sweeper.n_trials=1", NAME)
    sweep(loss, "optimizer.lr=interval(0, 1)", *lines)
    assert set(finished_trials(STORAGE, "s")[""][0].params) == {"optimizer.lr"}


def test_the_best_of_all_families_is_written_down(folder: Path, sweep: Any, results: Any) -> None:
    sweep(loss, "scheduler=cosine,step", "hydra.sweeper.n_trials=3")
    found = results()
    values = {name: f.best_value for name, f in found.families.items()}
    assert found.best_value == min(values.values()) == values[found.best_family]
    assert found.families["scheduler=step"].finished == 3
    assert "scheduler=step" in found.families["scheduler=step"].best_overrides


def test_reading_names_the_sweeps_that_there_are(folder: Path, sweep: Any) -> None:
    sweep(loss, "hydra.sweeper.n_trials=1", NAME)
    with pytest.raises(KeyError, match=r"no sweep 't'.*it has s"):
        finished_trials(STORAGE, "t")
    with pytest.raises(KeyError, match="there is no study database"):
        finished_trials("sqlite:///nowhere.db", "s")
