"""`python -m sweeps.report` on real sweeps, and on what is none."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import optuna
import pytest

from sweeps.reports import read_review
from sweeps.reports.trial_folders import TrialFolder

pytestmark = pytest.mark.xdist_group("report")

Run = Callable[..., CompletedProcess[str]]
SWEEP = (
    "-m",
    "scheduler=none,step",
    "hydra.sweeper.n_trials=5",
    "hydra.sweeper.study_name=mine",
    "hydra.sweeper.sampler.seed=1",
    "task.batch_size=100",
    "epochs=6",
    "tracking=none",
    "verdict.finalists=4",
    "verdict.fresh=4",
)


def lines(done: CompletedProcess[str]) -> list[str]:
    return done.stderr.strip().splitlines()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, warm: str) -> Path:
    """A folder in which the sweep was run, once for all."""
    folder = tmp_path_factory.mktemp("original")
    subprocess.run([warm, "-m", "sweeps", *SWEEP], cwd=folder, check=True, timeout=240)
    return folder


@pytest.fixture
def swept(original: Path, tmp_path: Path) -> Path:
    """The sweep's files in a copy; the folders of its trials are still the original's."""
    shutil.copytree(original / "mlruns", tmp_path / "mlruns")
    return tmp_path / "mlruns/studies/mine/artifacts"


@pytest.mark.covered
def test_a_report_remakes_what_the_sweep_made(swept: Path, command: Run, tmp_path: Path) -> None:
    made = {
        path.relative_to(swept): path.read_bytes() for path in swept.rglob("*") if path.is_file()
    }
    done = command("mine", "--out", "again", module="sweeps.report")
    assert (done.returncode, lines(done)) == (0, [])
    again, searched = tmp_path / "again", {Path("history.csv")}  # which the sweep itself writes
    assert {path.relative_to(again) for path in again.rglob("*") if path.is_file()} == {
        *made
    } - searched
    for name in ("verdict.json", "verdict.md", "trials.csv"):
        assert (again / name).read_bytes() == made[Path(name)], name
    files, look = done.stdout.splitlines()[-2:]
    assert files.split() == ["files", "again"]
    assert look.split(None, 1)[1] == "look at it: python -m sweeps.ui mine"


def test_without_a_verdict_a_report_is_marked_unfinished(swept: Path, command: Run) -> None:
    shutil.rmtree(swept)
    done = command("mine", module="sweeps.report")
    assert done.returncode == 0, done.stderr
    assert "not evaluated: 10 of 10 trials, no verdict" in done.stdout
    assert "continue with: python -m sweeps -m scheduler=none,step" in done.stdout
    assert (swept / "plots" / "progress.png").exists()
    assert not (swept / "verdict.json").exists()


def test_a_report_without_a_name_lists_the_studies(swept: Path, command: Run) -> None:
    assert command(module="sweeps.report").stdout.split() == ["study", "mine"]
    shutil.rmtree(swept)
    assert command(module="sweeps.report").stdout.split()[1:] == ["mine", "(no", "verdict)"]


def test_a_sweep_that_compares_nothing_is_named_by_its_schedule(
    tmp_path: Path, command: Run
) -> None:
    words = [word for word in SWEEP if not word.startswith("scheduler=")]
    done = command(*words, "scheduler=cosine", "verdict.finalists=0")
    assert done.returncode == 0, done.stderr
    study = read_review.read_study(f"sqlite:///{tmp_path}/mlruns/optuna.db", "mine")
    review = read_review.make_review(study, None)
    (family,) = review.families
    assert (family.name, family.arguments, family.swept) == ("cosine", 2, 3)
    assert (review.task, review.epochs, review.seeds) == ("linear_regression", 6, 1)
    assert review.n_trials == 5
    assert [row["epoch"] for row in family.history] == list(range(7))
    assert all(trial.peak_lr and trial.peak_lr >= 0.001 for trial in family.trials)


def test_all_failed_is_said_in_a_line(tmp_path: Path, command: Run) -> None:
    words = [word for word in SWEEP if not word.startswith("hydra.sweeper.n_trials")]
    swept = command(*words, "optimizer.lr=interval(50,60)", "hydra.sweeper.n_trials=2")
    assert swept.returncode != 0
    done = command("mine", module="sweeps.report")
    assert done.returncode == 1
    (line,) = lines(done)
    assert line.startswith("error: study mine: all 4 trials failed; the last: ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["mine"], "error: there is no study database "),
        (["mine", "--storage", "sqlite:///other.db"], "error: no sweep 'mine' in that storage"),
        (["empty", "--storage", "sqlite:///other.db"], "error: study empty has no trials yet"),
        (["--storage", "sqlite:///none.db"], "error: there is no study database "),
        (["mine", "--storage", "sqlite:///broken.db"], "error: the studies cannot be read: "),
        (["mine", "--storage", "nonsense"], "error: storage='nonsense': it is no database URL"),
    ],
)
def test_where_nothing_is_a_line_says_so(
    tmp_path: Path, command: Run, words: list[str], expected: str
) -> None:
    study = optuna.create_study(study_name="empty", storage=f"sqlite:///{tmp_path}/other.db")
    study.set_user_attr("sweep", "empty")
    study.set_user_attr("family", "")
    (tmp_path / "broken.db").write_text("no database")
    done = command(*words, module="sweeps.report")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = lines(done)
    assert line.startswith(expected)


def test_a_verdict_that_cannot_be_read_is_named(swept: Path, command: Run) -> None:
    (swept / "verdict.json").write_text('{"ranking": 3}')
    done = command("mine", module="sweeps.report")
    assert done.returncode == 1
    assert lines(done)[0].startswith("error: verdict.json cannot be read: ")


def test_trials_that_the_verdict_s_budget_sets_are_known(tmp_path: Path) -> None:
    (tmp_path / "multirun.yaml").write_text(
        "hydra: {sweeper: {n_trials: '${verdict.trials}'}}\nverdict: {trials: 150}\n", "utf-8"
    )
    assert TrialFolder(tmp_path / "0").n_trials == 150
