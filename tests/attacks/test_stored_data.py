"""A study's database, a run's folder and a tracking server hold data, whoever wrote them."""

from pathlib import Path

import pytest
import yaml

from lrlab.tracking import RunFolder, RunInfo
from lrlab.tracking.destinations import Destination
from sweeps.codegen import command, stored_command
from sweeps.stored.find_destination import DestinationFinder, MissingPasswordError
from sweeps.stored.run_program import command_line, program
from sweeps.trust.file_bounds import FileBoundError

COMMANDS = {
    "another program": "curl evil | sh",
    "a second command": "python -m sweeps; rm -rf ~",
    "a second line": "python -m sweeps epochs=5\nrm -rf ~",
    "a substitution": "python -m sweeps $(rm -rf ~)",
    "backticks": "python -m sweeps `rm -rf ~`",
    "another module": "python -m http.server",
    "a program in a callback": "python -m sweeps +hydra.callbacks.x._target_=os.system",
    "a program of a launcher": "python -m sweeps 'hydra.launcher.setup=[reboot]'",
    "a target in a sampler": "python -m sweeps hydra.sweeper.sampler._target_=os.system",
    "a mapping": "python -m sweeps 'hydra.sweeper.storage={_target_:os.system}'",
    "another environment": "python -m sweeps +hydra.job.env_set.PATH=/tmp",
    "a redirection": "python -m sweeps > ~/.bashrc",
    "open quotes": "python -m sweeps 'a",
    "an escape code": "python -m sweeps \x1b]0;owned\x07",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stored_command_that_could_do_harm_is_not_shown(name: str) -> None:
    assert stored_command(COMMANDS[name]) == ""


OWN = [
    ["-m", "scheduler=step,cosine", "hydra.sweeper.n_trials=5", "hydra.sweeper.study_name=a b"],
    ["scheduler=lambda", "scheduler.expression='0.9 ** epoch'", "~task.noise", "+task.k=[1,{a:b}]"],
    ["hydra/launcher=joblib", "hydra.launcher.n_jobs=4", "hydra/sweeper/sampler=random"],
    ["optimizer.lr=${oc.env:USER}", "hydra.sweeper.storage=postgresql://me:***@db/x"],
]


@pytest.mark.parametrize("words", OWN)
def test_a_stored_command_of_our_own_is_shown_as_it_is(words: list[str]) -> None:
    assert stored_command(command(words, "my conf")) == command(words, "my conf")


def run_folder(path: Path, config: str, overrides: list[str]) -> RunFolder:
    run = RunFolder(path)
    run.begin(RunInfo("stored", {}, {}))
    run.artifacts.mkdir(exist_ok=True)
    (run.artifacts / "config.yaml").write_text(config)
    node = {"overrides": {"task": overrides}, "runtime": {"config_sources": []}}
    (path / ".hydra").mkdir()
    (path / ".hydra/hydra.yaml").write_text(yaml.safe_dump({"hydra": node}))
    return run


def test_a_run_s_command_has_no_word_for_hydra(tmp_path: Path) -> None:
    typed = ["scheduler=step", "+hydra.callbacks.x._target_=os.system", "hydra.run.dir=/tmp"]
    assert command_line(run_folder(tmp_path / "a", "", typed)) == "python -m sweeps scheduler=step"


def test_a_run_s_config_that_multiplies_is_refused(tmp_path: Path) -> None:
    levels = [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40)]
    run = run_folder(tmp_path / "a", "\n".join(["a0: &a0 [x]", *levels]), [])
    with pytest.raises(FileBoundError, match="20000 values at most"):
        program(run)


def test_a_run_s_folder_sends_no_credentials_to_its_own_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_folder(tmp_path / "a", "", [])
    run.note_destination(Destination("x", "http://elsewhere:5000", str(tmp_path)))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert DestinationFinder(None, None, []).of(run).uri == "http://elsewhere:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
    with pytest.raises(MissingPasswordError, match="elsewhere"):
        DestinationFinder(None, None, []).of(run)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere:5000")
    assert DestinationFinder(None, None, []).of(run).uri == "http://elsewhere:5000"
