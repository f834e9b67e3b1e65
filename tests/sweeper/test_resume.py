"""The same command resumes a study; one with another search is rejected."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra.errors import HydraException

from hydra_plugins.optuna_families import finished_trials, sweeps

STORAGE = "sqlite:///mlruns/optuna.db"
NAME = "hydra.sweeper.study_name=s"
RANDOM = ("hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=5")


def loss(cfg: Any) -> float:
    return float(cfg.optimizer.lr + cfg.scheduler.get("gamma", 0.3))


def rows() -> list[str]:
    with closing(sqlite3.connect("mlruns/optuna.db")) as opened:
        return list(opened.iterdump())


def test_a_finished_study_runs_nothing_again(folder: Path, sweep: Any, trials: Any) -> None:
    for _ in range(2):
        sweep(loss, NAME, "hydra.sweeper.n_trials=3")
    assert len(trials("s")) == 3


@pytest.mark.usefixtures("both_ways")
def test_a_larger_n_trials_extends_and_repeats_nothing(folder: Path, sweep: Any) -> None:
    for n_trials in (4, 8, 12):
        sweep(loss, "scheduler=step,cosine", NAME, f"hydra.sweeper.n_trials={n_trials}", *RANDOM)
    for found in finished_trials(STORAGE, "s").values():
        assert len(found) == 12
        assert len({tuple(t.params.values()) for t in found}) == 12


def test_a_family_can_be_added_to_a_sweep(folder: Path, sweep: Any) -> None:
    for families in ("step", "step,cosine"):
        sweep(loss, f"scheduler=choice({families})", NAME, "hydra.sweeper.n_trials=2")
    assert [len(found) for found in finished_trials(STORAGE, "s").values()] == [2, 2]


def test_the_same_seed_gives_the_same_sweep(folder: Path, sweep: Any) -> None:
    for name in ("a", "b"):
        sweep(loss, *RANDOM, f"hydra.sweeper.study_name={name}", "hydra.sweeper.n_trials=4")
    a, b = (finished_trials(STORAGE, name)[""] for name in ("a", "b"))
    assert [t.params for t in a] == [t.params for t in b]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("+noise=2", "noise was absent, is 2"),
        ("optimizer=adam", "optimizer was sgd, is adam"),
        ("epochs=20", r"scheduler.T_max was range\(1, 10\), is range\(1, 20\)"),
        ("optimizer.lr=interval(0, 1)", r"optimizer.lr was tag\(log, interval\(0.001, 1.0\)\), is"),
        ("optimizer.lr=0.5", r"optimizer.lr was tag\(log.*\), is absent"),
        ("fail=choice(a, b)", "fail was absent, is choice"),
        ("hydra.sweeper.direction=maximize", r"direction was \['minimize'\], is \['maximize'\]"),
    ],
)
def test_a_changed_search_is_refused_by_name(
    folder: Path, sweep: Any, trials: Any, change: str, said: str
) -> None:
    file = Path("conf/optimizer/sgd.yaml").read_text()
    Path("conf/optimizer/adam.yaml").write_text(f"{file}\nkind: adam")
    sweep(loss, NAME, "hydra.sweeper.n_trials=1")
    with pytest.raises(HydraException, match=said) as refusal:
        sweep(loss, NAME, "hydra.sweeper.n_trials=2", change)
    assert "hydra.sweeper.study_name=" in str(refusal.value)
    assert len(trials("s")) == 1


def test_the_space_of_another_program_s_study_is_read_from_its_trials(
    folder: Path, sweep: Any
) -> None:
    Path("mlruns").mkdir()
    study = optuna.create_study(study_name="s", storage=STORAGE)
    study.optimize(lambda trial: trial.suggest_float("optimizer.lr", 0, 5), n_trials=1)
    with pytest.raises(HydraException, match=r"optimizer.lr was interval\(0.0, 5.0\)"):
        sweep(loss, NAME)


def test_first_and_last_lines_say_how_to_resume(folder: Path, run: Any) -> None:
    done = run("hydra.sweeper.n_trials=2", "epochs=2")
    lines = done.stdout.splitlines()
    resume = [line for line in lines if line.startswith("resume with: ")]
    assert len(resume) == 2
    assert lines[0].startswith("study app-")
    assert lines[1].startswith("stored in sqlite:///")
    assert lines[-1] == resume[0]
    name = resume[0].rpartition("study_name=")[2]
    again = run("hydra.sweeper.n_trials=3", "epochs=2", f"hydra.sweeper.study_name={name}")
    assert again.returncode == 0, again.stderr
    assert len(finished_trials(STORAGE, name)[""]) == 3


def test_without_storage_the_study_lies_in_the_sweep_s_folder(folder: Path, sweep: Any) -> None:
    lines = ("hydra.sweeper.storage=null", "hydra.sweep.dir=out", NAME)
    for n_trials in (2, 3):
        sweep(loss, *lines, f"hydra.sweeper.n_trials={n_trials}")
    assert len(finished_trials("sqlite:///out/optuna.db", "s")[""]) == 3
    assert not Path("mlruns").exists()


def test_an_enqueued_trial_runs_first(folder: Path, sweep: Any) -> None:
    sweep(loss, NAME, "hydra.sweeper.n_trials=1")
    study = optuna.load_study(study_name="s", storage=STORAGE)
    study.enqueue_trial({"optimizer.lr": 0.123})
    sweep(loss, NAME, "hydra.sweeper.n_trials=2")
    assert finished_trials(STORAGE, "s")[""][1].params["optimizer.lr"] == 0.123


def test_another_problem_is_refused_before_anything_is_asked(
    folder: Path, sweep: Any, trials: Any
) -> None:
    first = ("scheduler=exponential", "+noise=0.2", NAME)
    sweep(loss, *first, "hydra.sweeper.n_trials=1")
    before = rows()
    for changed, said in {
        ("scheduler=exponential", "+noise=1.0", NAME): "noise was 0.2, is 1.0",
        ("scheduler=exponential", NAME): "noise was 0.2, is absent",
        (*first, "epochs=20"): "epochs was 10, is 20",
    }.items():
        with pytest.raises(HydraException, match=said) as refusal:
            sweep(loss, *changed, "hydra.sweeper.n_trials=2")
        assert "hydra.sweeper.study_name=" in str(refusal.value)
    assert len(trials("s")) == 1
    assert rows() == before


def test_a_changed_default_in_a_file_is_a_changed_problem(folder: Path, sweep: Any) -> None:
    sweep(loss, "scheduler=none", NAME, "hydra.sweeper.n_trials=1")
    Path("conf/scheduler/none.yaml").write_text("kind: other")
    with pytest.raises(HydraException, match=r"scheduler\.kind was constant, is other"):
        sweep(loss, "scheduler=none", NAME, "hydra.sweeper.n_trials=1")


def test_a_refused_command_adds_no_family(folder: Path, sweep: Any) -> None:
    sweep(loss, "scheduler=choice(step)", "+noise=0.2", NAME, "hydra.sweeper.n_trials=1")
    before = rows()
    for families in ("exponential", "exponential,step"):
        with pytest.raises(HydraException, match=r"'s/scheduler=step'.*noise was 0.2, is 1.0"):
            sweep(loss, f"scheduler=choice({families})", "+noise=1.0", NAME)
    assert list(finished_trials(STORAGE, "s")) == ["scheduler=step"]
    assert rows() == before


def test_keys_in_may_differ_may_change(folder: Path, sweep: Any, trials: Any) -> None:
    listed = ("hydra.sweeper.may_differ=[device,'*.note']", "+device=cpu", "+scheduler.note=a")
    sweep(loss, NAME, *listed, "hydra.sweeper.n_trials=1")
    changed = (listed[0], "+device=gpu", "+scheduler.note=b")
    sweep(loss, NAME, *changed, "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1")
    assert len(trials("s")) == 2
    with pytest.raises(HydraException, match="device was cpu, is gpu"):
        sweep(loss, NAME, "hydra.sweeper.may_differ=[scheduler.note]", *changed[1:])


def test_an_older_study_goes_on_and_its_problem_is_stored(
    folder: Path, sweep: Any, trials: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(loss, NAME, "epochs=20", "hydra.sweeper.n_trials=1")
    study = optuna.load_study(study_name="s", storage=STORAGE)
    with sqlite3.connect("mlruns/optuna.db") as database:  # as versions before it left it
        database.execute("DELETE FROM study_user_attributes WHERE key = 'problem'")
    with pytest.raises(HydraException, match="noise was absent, is 1"):
        sweep(loss, NAME, "epochs=20", "+noise=1")
    sweep(loss, NAME, "epochs=20", "hydra.sweeper.n_trials=2")
    assert "was begun by an older version" in capsys.readouterr().out
    assert len(trials("s")) == 2
    assert "epochs" in study.user_attrs["problem"][""]["values"]


def test_a_resumed_sweep_reads_no_trials_to_check_the_space(
    folder: Path, sweep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(loss, NAME, "hydra.sweeper.n_trials=1")
    read = []
    whole = optuna.Study.get_trials
    monkeypatch.setattr(
        optuna.Study,
        "get_trials",
        lambda *args, **options: read.append(args) or whole(*args, **options),
    )
    sweep(loss, NAME, "hydra.sweeper.n_trials=1")
    assert read == []


@pytest.mark.parametrize("name", ["20261125", "1.5"])
def test_a_name_that_looks_like_a_number_is_text(folder: Path, sweep: Any, name: str) -> None:
    sweep(loss, f"hydra.sweeper.study_name={name}", "hydra.sweeper.n_trials=1")
    assert sweeps(STORAGE) == [name]
    assert len(finished_trials(STORAGE, name)[""]) == 1


def test_an_older_study_whose_name_is_a_number_can_be_read(folder: Path, sweep: Any) -> None:
    sweep(loss, "hydra.sweeper.study_name=n20261125", "hydra.sweeper.n_trials=1")
    sweep(loss, NAME, "hydra.sweeper.n_trials=1")
    study = optuna.load_study(study_name="n20261125", storage=STORAGE)
    study.set_user_attr("sweep", 20261125)
    assert sweeps(STORAGE) == ["20261125", "s"]
    assert len(finished_trials(STORAGE, "20261125")[""]) == 1
