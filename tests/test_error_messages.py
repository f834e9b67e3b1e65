"""Bad input is refused by the real command: exit code 2, a line or two, before any training."""

from pathlib import Path

import pytest

REFUSED = {
    "unknown scheduler": (["scheduler=cosin"], "did you mean cosine? There are: chebyshev,"),
    "unknown key": (["scheduler=step", "scheduler.gama=1"], "did you mean scheduler.gamma?"),
    "unknown key at the top": (["lr=0.1"], "unknown key lr; did you mean optimizer.lr?"),
    "added key": (["scheduler=step", "+scheduler.gama=1"], "did you mean scheduler.gamma?"),
    "word for a number": (["scheduler=step", "scheduler.gamma=abc"], 'gamma="abc" is not allowed'),
    "fraction for a count": (["scheduler=step", "scheduler.step_size=2.5"], "it must be int"),
    "word for epochs": (["epochs=abc"], 'epochs="abc" is not allowed: it must be int'),
    "word in an interpolated count": (["task.n=abc"], 'task.n="abc" is not allowed'),
    "other word than the choices": (
        ["scheduler=plateau", "scheduler.mode=up"],
        "it must be one of min, max",
    ),
    "step_size 0": (["scheduler=step", "scheduler.step_size=0"], "it needs step_size >= 1"),
    "T_max 0": (["scheduler=cosine", "scheduler.T_max=0"], "it needs T_max >= 1"),
    "gamma below 0": (["scheduler=exponential", "scheduler.gamma=-0.9"], "it needs gamma >= 0"),
    "gamma not a number": (["scheduler=exponential", "scheduler.gamma=nan"], "it needs gamma >= 0"),
    "warm-up longer than the run": (
        ["scheduler=warmup_cosine", "scheduler.warmup=200"],
        "warmup must be shorter than total, got warmup=200 total=100",
    ),
    "milestones out of order": (
        ["scheduler=multi_step", "scheduler.milestones=[80,30]"],
        "scheduler.milestones=[80, 30] is not allowed: it needs increasing(milestones)",
    ),
    "negative lr on the way": (
        ["scheduler=lambda", "scheduler.expression='1 - epoch / 50'"],
        "the learning rate would be -0.005 at step 51",
    ),
    "infinite lr on the way": (
        ["scheduler=exponential", "scheduler.gamma=1e300"],
        "the learning rate would be inf at step 2",
    ),
    "expression with an unknown name": (
        ["scheduler=lambda", "scheduler.expression=epok"],
        "epok is none of epoch, step",
    ),
    "expression that would act": (
        ["scheduler=lambda", "scheduler.expression='__import__(\"os\").getpid()'"],
        "cannot be computed",
    ),
    "no epochs": (["epochs=0"], "epochs=0 is not allowed: it needs epochs >= 1"),
    "unknown device": (["device=tpu"], "device must be auto or one of"),
    "negative base lr": (["optimizer.lr=-1"], "optimizer.lr=-1 is not allowed: it needs 0 < lr"),
    "infinite base lr": (["optimizer.lr=inf"], "it needs 0 < lr and finite(lr)"),
    "batch larger than the data": (["task.batch_size=2000"], "batch_size must be from 1 to n"),
    "batches that are not there": (
        ["scheduler.step_every=batch", "task.batches=7"],
        "task.batches=7 is not allowed: the task has 1 an epoch",
    ),
    "optimizer without what the schedule cycles": (
        [
            "scheduler=cyclic",
            "optimizer._target_=torch.optim.Adagrad",
            "scheduler.cycle_momentum=true",
        ],
        "scheduler: optimizer must support momentum",
    ),
    "target outside of what may be called": (
        ["scheduler._target_=os.system"],
        "'os.system' may not be called from a config",
    ),
    "argument that cannot be read": (["scheduler.gamma=["], "cannot read the argument"),
    "several values without -m": (["scheduler=cosine,step"], "add --multirun"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_by_name(command, tmp_path: Path, name: str) -> None:
    arguments, message = REFUSED[name]
    done = command(*arguments, "tracking=none")
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert done.stdout == ""
    assert list(tmp_path.rglob("history.csv")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("_target_: [", "malformed YAML: "),
        ("_target_: torch.optim.SGD\nlr: 1\nlr: 2\n", "found duplicate key lr"),
    ],
)
def test_malformed_yaml_is_refused_with_its_place(
    command, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "mine" / "optimizer").mkdir(parents=True)
    (tmp_path / "mine" / "optimizer" / "broken.yaml").write_text(text)
    done = command("--config-dir", "mine", "optimizer=broken", "tracking=none")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert message in done.stderr
    assert "broken.yaml, line " in done.stderr


def test_a_refused_command_leaves_no_run_in_mlflow(command, tmp_path: Path) -> None:
    done = command("epochs=-1")
    assert done.returncode == 2
    assert list(tmp_path.rglob("run.json")) == []


def test_a_person_who_wants_the_traceback_gets_it(command) -> None:
    done = command("scheduler=cosin", HYDRA_FULL_ERROR="1")
    assert done.returncode == 1
    assert "MissingConfigException" in done.stderr


SUSPICIOUS = {
    "cosine climbs back": (["scheduler=cosine", "scheduler.T_max=20"], "scheduler.T_max=20: the"),
    "eta_min above lr": (["scheduler=cosine", "scheduler.eta_min=0.5"], "scheduler.eta_min=0.5"),
    "never moves": (["scheduler=step", "scheduler.step_size=500"], "scheduler.step_size=500"),
    "one-cycle ignores the lr": (["scheduler=one_cycle", "scheduler.max_lr=0.1"], "is ignored"),
    "flat by its numbers": (["scheduler=lambda", "scheduler.expression='1'"], "never moves"),
}


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_a_suspicious_curve_draws_one_warning_that_names_the_key(command, name: str) -> None:
    arguments, message = SUSPICIOUS[name]
    done = command(*arguments, "tracking=none", "epochs=50", "task.n=50")
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert message in warnings[0]
