"""`python -m sweeps.export`: what it finds, what it prints, what it says where there is nothing."""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from lrlab.history import read_history
from lrlab.tracking import RunFolder, RunInfo
from sweeps import export
from sweeps.codegen import command, command_of
from sweeps.runs.run_spec import prepare
from sweeps.stored.run_program import command_line

Export = Callable[..., tuple[int, str, str]]
# The sweep and the run below are made once a worker.
pytestmark = pytest.mark.xdist_group("export")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, warm: str, empty_database: Path) -> Path:
    """A folder with a sweep named `mine` and with a run that MLflow has."""
    folder = tmp_path_factory.mktemp("place")
    shutil.copy(empty_database, folder)
    sweep = "-m scheduler=cosine,step hydra/sweeper/pruner=none hydra.sweeper.study_name=mine"
    short = ("epochs=8", "hydra.sweeper.n_trials=3", "tracking=none", "verdict.finalists=0")
    short += ("verdict.plots=false",)
    sweeps(warm, folder, *sweep.split(), *short)
    sweeps(warm, folder, "scheduler=lambda", "scheduler.expression='0.9 ** epoch'", "epochs=8")
    return folder


def sweeps(python: str, folder: Path, *words: str) -> None:
    subprocess.run([python, "-m", "sweeps", *words], cwd=folder, check=True)


@pytest.fixture
def exported(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Export:
    """The command in that folder: its exit code, standard output and standard error."""
    monkeypatch.chdir(place)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            export.main(words)
        except SystemExit as error:
            return int(error.code or 0), *capsys.readouterr()
        return 0, *capsys.readouterr()

    return call


def recorded(place: Path) -> tuple[Path, str]:
    """The folder of the run that MLflow has, and its id."""
    [path] = place.rglob("recorded.json")
    return path.parent, json.loads(path.read_text())["run_id"]


def test_of_a_study_the_best_trial_is_taken(exported: Export) -> None:
    from hydra_plugins.optuna_families import finished_trials

    families = finished_trials("sqlite:///mlruns/optuna.db", "mine")
    best = min((t for trials in families.values() for t in trials), key=lambda t: t.value)
    code, text, _ = exported("mine")
    assert code == 0
    [lr] = [o for o in best.user_attrs["overrides"] if o.startswith("optimizer.lr=")]
    assert f"lr={lr.partition('=')[2]}" in text
    assert text.splitlines()[0].endswith("after 8 epochs, the best of study mine")


def test_the_command_is_in_the_text_and_makes_the_same_run(
    exported: Export, place: Path, warm: str
) -> None:
    _, text, _ = exported("mine", "--family", "step")
    line = text.splitlines()[1].removeprefix("# ")
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "sweeps"]
    run, again = RunFolder(trial_of(line, place)), RunFolder(place / "again")
    sweeps(warm, place, *words[3:], "hydra.run.dir=again")
    assert without_times(run, "config.yaml") == without_times(again, "config.yaml")
    # The trial was trained together with others: its losses are the same to rounding.
    for there, here in zip(read_history(run.history), read_history(again.history), strict=True):
        assert there["lr"] == here["lr"]
        assert there["loss"] == pytest.approx(here["loss"], rel=1e-5)
    shutil.rmtree(again.path)


def trial_of(line: str, place: Path) -> Path:
    [folder] = [
        path.parent.parent
        for path in place.rglob(".hydra/hydra.yaml")
        if command_of(OmegaConf.load(path).hydra) == line  # type: ignore[arg-type]
    ]
    return folder


def without_times(run: RunFolder, name: str) -> list[list[str]]:
    lines = (run.artifacts / name).read_text().splitlines()
    return [line.split(",")[:1] + line.split(",")[2:] for line in lines]


@pytest.mark.parametrize("family", ["step", "scheduler=step"])
def test_of_a_family_its_best_trial_is_taken(exported: Export, family: str) -> None:
    code, text, _ = exported("mine", "--family", family)
    assert code == 0
    assert "scheduler = StepLR(" in text
    assert text.splitlines()[0].endswith(f"the best of {family} in study mine")


@pytest.fixture
def verdict(place: Path) -> Iterator[Callable[[object], None]]:
    folder = place / "mlruns" / "studies" / "mine" / "artifacts"
    folder.mkdir(parents=True, exist_ok=True)
    yield lambda content: (folder / "verdict.json").write_text(json.dumps(content)) and None
    shutil.rmtree(folder.parent)


def test_of_a_study_with_a_verdict_the_recommended_run_is_taken(
    exported: Export, verdict: Callable[[object], None], place: Path
) -> None:
    verdict({"recommended": {"folder": str(recorded(place)[0])}})
    for name in ("mine", "mlruns/studies/mine"):
        code, text, _ = exported(name)
        assert code == 0
        assert "scheduler = LambdaLR(optimizer, lambda epoch: 0.9**epoch)" in text
        assert text.splitlines()[0].endswith(", recommended by the verdict on study mine")
    assert "StepLR" in exported("mine", "--family", "step")[1]


def test_a_verdict_that_recommends_nothing_leaves_the_best(
    exported: Export, verdict: Callable[[object], None]
) -> None:
    verdict({"recommended": None})
    assert exported("mine")[1].splitlines()[0].endswith(", the best of study mine")


def test_a_recommended_run_that_is_gone_is_said(
    exported: Export, verdict: Callable[[object], None]
) -> None:
    verdict({"recommended": {"folder": "gone"}})
    assert exported("mine") == (1, "", "error: the run's folder is gone, or it never began: gone\n")


def test_a_run_is_found_by_its_folder_and_by_its_id(exported: Export, place: Path) -> None:
    folder, run_id = recorded(place)
    code, text, _ = exported(str(folder))
    assert code == 0
    assert text.splitlines()[:2] == [
        "# lambda expression='0.9 ** epoch' epochs=8: loss "
        + text.partition(": loss ")[2].splitlines()[0],
        "# python -m sweeps scheduler=lambda \"scheduler.expression='0.9 ** epoch'\" epochs=8",
    ]
    assert exported(run_id)[1] == exported(str(folder / "artifacts"))[1] == text


def test_a_run_whose_folder_is_gone_comes_from_mlflow(
    exported: Export, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run_id = recorded(place)
    here = exported(run_id)[1]
    monkeypatch.chdir(tmp_path)
    code, text, complaints = exported(run_id, "--uri", f"sqlite:///{place / 'mlflow.db'}")
    assert (code, complaints) == (0, "")
    assert text == here
    assert list(tmp_path.iterdir()) == []


def test_the_program_can_go_into_a_file(exported: Export, tmp_path: Path) -> None:
    file = tmp_path / "schedule.py"
    code, said, _ = exported("mine", "--out", str(file))
    assert code == 0
    assert file.read_text() == exported("mine")[1]
    assert [line.split()[0] for line in said.splitlines()] == ["schedule", "command", "file"]


def test_a_run_that_was_stopped_says_so(exported: Export, place: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(recorded(place)[0], tmp_path / "copy")
    RunFolder(copy).end("KILLED")
    assert exported(str(copy))[1].splitlines()[0].endswith(" after 8 epochs (KILLED)")
    (copy / "artifacts" / "history.csv").unlink()
    assert exported(str(copy))[1].splitlines()[0].endswith(": not trained (KILLED)")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["nine"],
            "no run and no study is called 'nine': no sweep 'nine' in that storage; it has mine",
        ),
        (["mine", "--family", "sine"], "no family 'sine'; it has: scheduler=cosine, scheduler=ste"),
        (["mlruns"], "no run and no study is called 'mlruns'"),
        (["mlruns/mine"], "no run and no study is called 'mlruns/mine'"),
        (["0" * 32], f"MLflow: Run with id={'0' * 32} not found"),
        (["mine", "--storage", "sqlite:///no.db"], "there is no study database "),
        (["0" * 32, "--uri", "sqlite:///no.db"], "there is no MLflow database "),
        (["mine", "--storage", "nonsense"], "it is no database URL such as"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(
    exported: Export, words: list[str], complaint: str
) -> None:
    code, out, said = exported(*words)
    assert (code, out, said.count("\n")) == (1, "", 1)
    assert complaint in said


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("epochs: 3", "is no run's config: it lacks optimizer, scheduler, task"),
        ("[cut", "is no YAML"),
        ("", "is no run's config: it lacks epochs, optimizer, scheduler, task"),
    ],
)
def test_a_spoilt_config_is_said_in_a_line(
    exported: Export, place: Path, tmp_path: Path, config: str, complaint: str
) -> None:
    copy = shutil.copytree(recorded(place)[0], tmp_path / "copy")
    (copy / "artifacts" / "config.yaml").write_text(config)
    code, out, said = exported(str(copy))
    assert (code, out, said.count("\n")) == (1, "", 1)
    assert complaint in said


def test_a_config_that_would_call_anything_else_is_refused(
    exported: Export, place: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(recorded(place)[0], tmp_path / "copy")
    file = copy / "artifacts" / "config.yaml"
    file.write_text(file.read_text().replace("torch.optim.SGD", "os.system"))
    code, out, said = exported(str(copy))
    assert (code, out) == (1, "")
    assert said.startswith("error: optimizer._target_: 'os.system' may not be called from a config")


def test_a_study_without_a_complete_trial_says_what_it_has(
    exported: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["-m", "scheduler=cosine,step", "optimizer.lr=1e9", "hydra.sweeper.study_name=bad"]
    for more in ("hydra.sweeper.n_trials=1", "hydra.sweeper.max_failure_rate=1"):
        words.append(more)
    subprocess.run([warm, "-m", "sweeps", *words, "tracking=none"], check=False)
    code, out, said = exported("bad")
    assert (code, out, said.count("\n")) == (1, "", 1)
    assert "study bad has no complete trial: 10 failed; DivergedError: the loss is" in said


def test_from_the_shell_it_can_be_piped_into_python(place: Path, warm: str) -> None:
    made = subprocess.run(
        [warm, "-m", "sweeps.export", "mine"], cwd=place, capture_output=True, check=True
    )
    done = subprocess.run(
        [sys.executable, "-"], input=made.stdout, cwd="/", capture_output=True, check=True
    )
    assert len(done.stdout.splitlines()) == 8


def test_help_tells_what_it_takes(exported: Export) -> None:
    code, text, _ = exported("--help")
    assert code == 0
    assert all(word in text for word in ("--family", "--out", "--storage", "--uri", "RUN|STUDY"))


def test_without_a_job_s_folder_the_command_is_the_card_s(tmp_path: Path) -> None:
    run = RunFolder(tmp_path).begin(RunInfo("mine", tags={"command": "python -m sweeps epochs=3"}))
    assert command_line(run) == "python -m sweeps epochs=3"


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_a_command_comes_back_from_a_shell_s_words(overrides: list[str]) -> None:
    words = shlex.split(command(overrides, config_dir="my conf"))
    assert words == ["python", "-m", "sweeps", "--config-dir", "my conf", *overrides]


def test_a_real_shell_reads_the_same_words() -> None:
    words = [
        "a=$HOME",
        "b='!x'",
        "c=`ls`",
        "d='x y'",
        'e="q"',
        "~f",
        "+g=[1,2]",
        "h={a: '$b'}",
        "*",
    ]
    line = command(words).removeprefix("python -m sweeps")
    said = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True
    )
    assert said.stdout.splitlines() == words


@pytest.mark.parametrize(
    "overrides",
    [
        ["scheduler=lambda", "scheduler.expression='1 / (1 + epoch)'"],
        ["scheduler=multi_step", "scheduler.milestones=[3,7]", "epochs=10"],
        ["optimizer=adam", "optimizer.betas=[0.8,0.95]", "~optimizer.weight_decay"],
        ["scheduler=cosine", "scheduler.T_max=${epochs}", "scheduler.eta_min='${calc:\"1 / 8\"}'"],
        ["optimizer=sgd", "+optimizer.dampening=0.1"],
    ],
)
def test_the_command_gives_the_same_config(compose: Any, overrides: list[str]) -> None:
    again = shlex.split(command(overrides))[3:]
    assert prepare(compose(*again)).config == prepare(compose(*overrides)).config
    assert again == overrides


def test_a_folder_of_own_files_is_in_the_command(tmp_path: Path) -> None:
    own = {"path": str(tmp_path), "provider": "command-line"}
    theirs = {"path": "/somewhere/conf", "provider": "main"}
    job = {"runtime": {"config_sources": [theirs, own]}, "overrides": {"task": ["task=mine"]}}
    words = shlex.split(command_of(job))
    assert words[3] == "--config-dir"
    assert Path(words[4]).resolve() == tmp_path.resolve()
    assert words[5:] == ["task=mine"]
