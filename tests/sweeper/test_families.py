"""Families have equal budgets, each with the search space of its config file."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import OmegaConf
from optuna.distributions import IntDistribution

from hydra_plugins.optuna_families import all_trials, finished_trials, in_batches

STORAGE = "sqlite:///mlruns/optuna.db"
NAME = "hydra.sweeper.study_name=s"


def loss(cfg: Any) -> float:
    return float(cfg.optimizer.lr + cfg.scheduler.get("gamma", 0.3))


@pytest.mark.parametrize("which", ["cosine,step,exponential", "choice(cosine,step,exponential)"])
@pytest.mark.usefixtures("both_ways")
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


def test_two_swept_groups_make_a_family_of_each_pair(folder: Path, sweep: Any) -> None:
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


def test_a_range_is_resolved_in_the_composed_config(folder: Path, sweep: Any) -> None:
    sweep(loss, "epochs=7", "hydra.sweeper.n_trials=1", NAME)
    (trial,) = finished_trials(STORAGE, "s")[""]
    assert trial.distributions["scheduler.T_max"] == IntDistribution(1, 7)


def test_the_first_trial_of_a_family_has_the_values_of_its_file(folder: Path, sweep: Any) -> None:
    sweep(loss, "scheduler=step,exponential", "hydra.sweeper.n_trials=2", NAME)
    step, exponential = finished_trials(STORAGE, "s").values()
    assert set(step[0].params.values()) == {0.5, 3, 0.1}
    assert set(exponential[0].params.values()) == {0.99, 0.1}


def test_config_values_outside_the_range_are_not_tried(folder: Path, sweep: Any) -> None:
    sweep(loss, "optimizer.lr=interval(0.5, 0.9)", "hydra.sweeper.n_trials=1", NAME)
    (trial,) = finished_trials(STORAGE, "s")[""]
    assert trial.params["optimizer.lr"] >= 0.5


def test_a_fixed_value_is_removed_from_the_space(folder: Path, sweep: Any) -> None:
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


def test_without_families_a_group_is_one_categorical_parameter(folder: Path, sweep: Any) -> None:
    lines = ("scheduler=step,exponential", "hydra.sweeper.families=false")
    sweep(loss, *lines, "hydra.sweeper.n_trials=12", NAME)
    trials = finished_trials(STORAGE, "s")[""]
    assert len(trials) == 12
    for trial in trials:
        own = {name for name in trial.params if name.startswith(trial.params["scheduler"])}
        assert own
        assert own | {"scheduler", "optimizer.lr"} == set(trial.params)
    assert len({t.params["scheduler"] for t in trials}) == 2


def test_each_family_has_its_own_grid(folder: Path, sweep: Any) -> None:
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


def test_a_search_node_without_ranges_stays(files: Any, sweep: Any) -> None:
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


def test_a_job_s_config_has_no_search_nodes(folder: Path, sweep: Any) -> None:
    seen: list[Any] = []

    def task(cfg: Any) -> float:
        seen.append(cfg.copy())
        return float(instantiate({"_target_": "builtins.dict", **cfg.scheduler})["gamma"])

    sweep(task, "scheduler=step,exponential", "hydra.sweeper.n_trials=2", NAME)
    assert [set(cfg.scheduler) for cfg in seen] == [{"gamma", "step_size"}, {"gamma"}] * 2
    found = finished_trials(STORAGE, "s")["scheduler=step"][1]
    written = OmegaConf.load(Path(found.user_attrs["folder"]) / ".hydra/config.yaml")
    assert written == seen[2]


def test_a_missing_value_may_be_swept(folder: Path, sweep: Any) -> None:
    (folder / "conf/optimizer/sgd.yaml").write_text("lr: ???")
    sweep(loss, "optimizer.lr=interval(0.1, 0.2)", "hydra.sweeper.n_trials=2", NAME)
    values = [t.params["optimizer.lr"] for t in finished_trials(STORAGE, "s")[""]]
    assert all(0.1 <= value <= 0.2 for value in values)


@pytest.mark.parametrize("file", ["", "search: {betas.0: 'interval(0.5, 0.6)'}"])
def test_an_element_of_a_list_can_be_swept(folder: Path, sweep: Any, file: str) -> None:
    (folder / "conf/optimizer/sgd.yaml").write_text(f"lr: 0.1\nbetas: [0.5, 0.99]\n{file}")
    seen: list[Any] = []
    line = [] if file else ["optimizer.betas.0=interval(0.5, 0.6)"]
    sweep(lambda cfg: float(seen.append(cfg.optimizer.betas) or 1), *line, NAME)
    assert all(0.5 <= first <= 0.6 and second == 0.99 for first, second in seen)
    assert len({first for first, _ in seen}) == len(seen) == 20
    assert seen[0] == [0.5, 0.99]  # the file's own value is the first trial


def test_an_index_outside_a_list_is_rejected(folder: Path, sweep: Any) -> None:
    (folder / "conf/optimizer/sgd.yaml").write_text("lr: 0.1\nbetas: [0.9, 0.99]")
    with pytest.raises(HydraException, match=r"optimizer.betas.2 is not in the config.*a list"):
        sweep(loss, "optimizer.betas.2=interval(0.5, 0.6)")


def test_a_choice_may_be_quoted_or_in_a_subfolder_or_end_in_yaml(folder: Path, sweep: Any) -> None:
    (folder / "conf/scheduler/mine").mkdir()
    (folder / "conf/scheduler/mine/slow.yaml").write_text("gamma: 0.9")
    lines = ("hydra.sweeper.n_trials=1", NAME)
    sweep(loss, "scheduler=mine/slow,'cosine',step.yaml,\"step\"", *lines)
    names = ("mine/slow", "cosine", "step")
    assert list(finished_trials(STORAGE, "s")) == [f"scheduler={name}" for name in names]
    with pytest.raises(HydraException, match=r"no such choice \(did you mean mine/slow\?\)"):
        sweep(loss, "scheduler=mine/slo,step")


@pytest.mark.parametrize("swept", ["epochs=10,20", "epochs=choice(20)", "epochs=range(5, 9)"])
def test_a_range_that_depends_on_a_swept_value_is_rejected(
    folder: Path, sweep: Any, swept: str
) -> None:
    said = r"scheduler.search.T_max: this range depends on epochs.*'scheduler.T_max=range\(1, 10\)'"
    with pytest.raises(HydraException, match=said):
        sweep(loss, swept)


def test_a_range_without_interpolation_depends_on_nothing(folder: Path, sweep: Any) -> None:
    lines = ("epochs=10,20", "scheduler.T_max=range(1, 10)", "hydra.sweeper.n_trials=1")
    sweep(loss, *lines, NAME)
    assert len(finished_trials(STORAGE, "s")[""]) == 1


def test_a_range_may_depend_on_the_default_that_it_replaces(folder: Path, sweep: Any) -> None:
    text = "lr: 0.1\nsearch: {lr: 'interval(${optimizer.lr}, 1)'}"
    (folder / "conf/optimizer/sgd.yaml").write_text(text)
    sweep(loss, "hydra.sweeper.n_trials=3", NAME)
    assert all(t.params["optimizer.lr"] >= 0.1 for t in finished_trials(STORAGE, "s")[""])


def test_a_whole_number_range_starts_with_a_whole_number(folder: Path, sweep: Any) -> None:
    seen: list[Any] = []
    lines = ("optimizer.lr=range(1, 3)", "hydra.sweeper.n_trials=1")
    (folder / "conf/optimizer/sgd.yaml").write_text("lr: 2.0")
    sweep(lambda cfg: float(seen.append(cfg.optimizer.lr) or 1), *lines)
    assert [(value, type(value)) for value in seen] == [(2, int)]


def test_a_grid_s_points_are_known_by_their_values(folder: Path, sweep: Any) -> None:
    lines = ("hydra/sweeper/sampler=grid", "scheduler=none", "optimizer.lr=range(1, 9, 2)", NAME)
    sweep(loss, *lines, "hydra.sweeper.n_trials=2", "hydra.sweeper.sampler.seed=1")
    sweep(loss, *lines, "hydra.sweeper.sampler.seed=2")
    points = [t.params["optimizer.lr"] for t in finished_trials(STORAGE, "s")[""]]
    assert sorted(points) == [1, 3, 5, 7]


def test_an_emoji_in_a_value_reads_back_from_the_job_s_folder(folder: Path, sweep: Any) -> None:
    sweep(lambda cfg: 1.0, "fail=choice('\U0001f600','\x7f é')", "hydra.sweeper.n_trials=2", NAME)
    for trial in finished_trials(STORAGE, "s")[""]:
        job = Path(trial.user_attrs["folder"]) / ".hydra"
        assert OmegaConf.load(job / "config.yaml").fail == trial.params["fail"]  # type: ignore[union-attr]
        assert OmegaConf.load(job / "hydra.yaml").hydra.job.override_dirname  # type: ignore[union-attr]


def test_extra_trials_of_a_full_family_do_not_reduce_the_remaining_work(
    folder: Path, sweep: Any
) -> None:
    sizes: list[int] = []

    def together(jobs: Any) -> Any:
        sizes.append(len(jobs))
        for job in jobs:
            yield job, 1.0

    task = in_batches(together, size=lambda cfg: 8)(lambda cfg: 1.0)
    lines = (NAME, "hydra/sweeper/sampler=random")
    sweep(task, "scheduler=cosine,step", "hydra.sweeper.n_trials=7", *lines)
    del sizes[:]
    sweep(task, "scheduler=cosine,step,none", "hydra.sweeper.n_trials=4", *lines)
    assert sizes == [4]


def test_the_best_of_all_families_is_written_down(folder: Path, sweep: Any, results: Any) -> None:
    sweep(loss, "scheduler=cosine,step", "hydra.sweeper.n_trials=3")
    found = results()
    values = {name: f.best_value for name, f in found.families.items()}
    assert found.best_value == min(values.values()) == values[found.best_family]
    assert found.families["scheduler=step"].finished == 3
    assert "scheduler=step" in found.families["scheduler=step"].best_overrides


def test_sweeps_returns_the_names_in_a_database(folder: Path, sweep: Any) -> None:
    sweep(loss, "hydra.sweeper.n_trials=1", NAME)
    with pytest.raises(KeyError, match=r"no sweep 't'.*it has s"):
        finished_trials(STORAGE, "t")
    with pytest.raises(KeyError, match="there is no study database"):
        finished_trials("sqlite:///nowhere.db", "s")


def test_a_family_is_tuned_several_times_each_with_a_seed_of_its_own(
    folder: Path, sweep: Any
) -> None:
    def task(cfg: Any) -> float:
        seen.append((HydraConfig.get().sweeper.family, cfg.seed))
        return float(cfg.optimizer.lr)

    seen: list[tuple[str, int]] = []
    lines = ("scheduler=step,none", "hydra.sweeper.study_name=s", "+seed=7", "epochs=5")
    lines += ("hydra.sweeper.tuning_seed=seed", "hydra.sweeper.n_jobs=1")
    sweep(task, *lines, "hydra.sweeper.n_trials=7", "hydra.sweeper.tunings=3")
    counts = Counter(seen)
    for family in ("scheduler=step", "scheduler=none"):
        assert [counts[family, seed] for seed in (7, 1007, 2007)] == [3, 2, 2]
    trials = all_trials(STORAGE, "s")["scheduler=step"]
    assert Counter(trial.user_attrs["tuning"] for trial in trials) == {0: 3, 1: 2, 2: 2}
    words = {
        word for t in trials if t.user_attrs["tuning"] == 1 for word in t.user_attrs["overrides"]
    }
    assert "seed=1007" in words
    assert not any(word.endswith("seed=7") for word in words)
    # A stored sweep keeps its tunings when none are asked for; all of them grow.
    sweep(task, *lines, "hydra.sweeper.n_trials=9", "hydra.sweeper.tunings=null")
    trials = all_trials(STORAGE, "s")["scheduler=step"]
    assert Counter(trial.user_attrs["tuning"] for trial in trials) == {0: 3, 1: 3, 2: 3}


def test_a_tuning_seed_must_name_a_whole_number(folder: Path, sweep: Any) -> None:
    lines = ("hydra.sweeper.tunings=2", "hydra.sweeper.tuning_seed=optimizer")
    with pytest.raises(HydraException, match=r"tuning_seed=optimizer must name a whole number"):
        sweep(lambda cfg: 1.0, *lines, "hydra.sweeper.n_trials=4")
