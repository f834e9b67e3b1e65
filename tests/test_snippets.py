"""A run's snippet is its optimizer and schedule in plain torch, to the last digit."""

import ast
import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep
from omegaconf import DictConfig, OmegaConf

from lrlab.training import fresh_model
from sweeps.codegen import snippet
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.trust.trusted_names import read_trusted

EVERY = pytest.mark.parametrize("every", ["epoch", "batch"])
SHORT = ("epochs=12", "task.n=60", "task.batch_size=25", "divergence=1e12")


def searched(compose: Any, *overrides: str) -> list[str]:
    """Overrides with a value from within every range that the scheduler's file has."""
    space = OmegaConf.to_container(compose(*overrides).scheduler, resolve=True).get("search", {})
    return [f"scheduler.{key}={within(text)}" for key, text in space.items()]


def within(text: str) -> str:
    sweep = OverridesParser.create().parse_override(f"key={text}").value()
    if isinstance(sweep, IntervalSweep):
        return repr(sweep.start + (sweep.end - sweep.start) * 0.3712345678901234)
    if isinstance(sweep, RangeSweep):
        points = list(sweep.range())
        return str(points[len(points) // 2])
    assert isinstance(sweep, ChoiceSweep)
    return repr(getattr(sweep.list[-1], "text", sweep.list[-1]))


CONFIGS: dict[tuple[str, str], DictConfig] = {}  # composing is most of a test's time


def spec(compose: Any, scheduler: str, every: str) -> RunSpec:
    """A run with long numbers from within the scheduler's own ranges."""
    if (scheduler, every) not in CONFIGS:
        overrides = [f"scheduler={scheduler}", f"scheduler.step_every={every}", *SHORT]
        sampled = [*searched(compose, *overrides), "optimizer.lr=0.12345678901234568"]
        CONFIGS[scheduler, every] = compose(*overrides, *sampled)
    return prepare(CONFIGS[scheduler, every])


def run_as_it_stands(text: str) -> list[float]:
    """The learning rates that a program prints, and the one that is in force at its end."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(text, "snippet", "exec"), names)  # noqa: S102 (what it is made for)
    rates = [float(line.split()[1]) for line in printed.getvalue().splitlines()]
    return [*rates, names["optimizer"].param_groups[0]["lr"]]


class Batches:
    """A task's batches as a loader has them: anew in each epoch."""

    def __init__(self, run: RunSpec) -> None:
        self._task = run.task
        self._generator = torch.Generator().manual_seed(run.settings.seed)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._task.batches(self._generator))

    def __len__(self) -> int:
        return self._task.batches_per_epoch


def run_with_the_run_s_own(text: str, run: RunSpec) -> tuple[list[float], Any]:
    """What a person does: put a model, data and loss of one's own in place of the placeholders."""
    before, _, rest = text.partition("# Yours")
    after = "optimizer = " + rest.partition("\noptimizer = ")[2]
    assert after != "optimizer = "
    model = fresh_model(run.task, run.settings.seed)
    own = {
        "model": model,
        "batches": Batches(run),
        "criterion": torch.nn.functional.mse_loss,
        "validate": lambda: run.task.evaluate(model),
    }
    names: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()) as printed:
        exec(before, names)  # noqa: S102
        exec(after, names | own)  # noqa: S102
    return [float(line.split()[1]) for line in printed.getvalue().splitlines()], model


@EVERY
def test_as_it_stands_it_has_the_run_s_learning_rates(
    compose: Any, scheduler: str, every: str
) -> None:
    run = spec(compose, scheduler, every)
    if run.recipe.dry_build()[1].monitor:
        pytest.skip("what it watches depends on the data: see the next test")
    rates = [epoch.lrs[0] for epoch in run.train()]
    assert run_as_it_stands(snippet(run.config)) == rates


@EVERY
def test_with_the_run_s_model_and_data_it_is_the_run(
    compose: Any, scheduler: str, every: str
) -> None:
    run, again = (spec(compose, scheduler, every) for _ in range(2))
    epochs = list(run.train())
    torch.manual_seed(0)  # nothing may hang on what is left of the run
    rates, model = run_with_the_run_s_own(snippet(again.config), again)
    assert rates == [epoch.lrs[0] for epoch in epochs[:-1]]
    assert float(again.task.evaluate(model)) == epochs[-1].loss


@EVERY
def test_a_watched_loss_lowers_the_rate_in_both(compose: Any, every: str) -> None:
    short = (
        "scheduler=plateau",
        "scheduler.patience=1",
        "scheduler.factor=0.3",
        *SHORT,
        "epochs=30",
    )
    run, again = (prepare(compose(*short, f"scheduler.step_every={every}")) for _ in range(2))
    rates = [epoch.lrs[0] for epoch in run.train()]
    assert len(set(rates)) > 2
    assert run_with_the_run_s_own(snippet(again.config), again)[0] == rates[:-1]


def test_every_optimizer_moves_the_weights_as_in_the_run(compose: Any, optimizer: str) -> None:
    overrides = (f"optimizer={optimizer}", "scheduler=cosine", "optimizer.weight_decay=0.03")
    run, again = (prepare(compose(*overrides, *SHORT)) for _ in range(2))
    last = list(run.train())[-1]
    _, model = run_with_the_run_s_own(snippet(again.config), again)
    assert float(again.task.evaluate(model)) == last.loss


def test_an_optimizer_s_own_arguments_are_there(compose: Any) -> None:
    cfg = compose("optimizer=adam", "optimizer.betas=[0.8,0.99]", "+optimizer.amsgrad=true")
    line = "optimizer = Adam(model.parameters(), betas=(0.8, 0.99), amsgrad=True)"
    assert line in snippet(prepare(cfg).config)


def test_needs_torch_alone(compose: Any, scheduler: str) -> None:
    tree = ast.parse(snippet(spec(compose, scheduler, "epoch").config))
    modules = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    modules += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    assert {str(name).partition(".")[0] for name in modules} <= {"torch", *sys.stdlib_module_names}


def test_runs_in_an_interpreter_that_knows_nothing_of_us(compose: Any, tmp_path: Path) -> None:
    run = spec(compose, "warmup_cosine", "batch")
    file = tmp_path / "mine.py"
    file.write_text(snippet(run.config))
    # -I: no PYTHONPATH, no current folder; an editable install is hidden by name.
    hidden = "import sys, runpy; sys.modules |= dict.fromkeys(['sweeps', 'lrlab', 'hydra']); "
    done = subprocess.run(
        [sys.executable, "-W", "error", "-I", "-c", hidden + f"runpy.run_path({str(file)!r})"],
        capture_output=True,
        text=True,
        check=True,
    )
    printed = [float(line.split()[1]) for line in done.stdout.splitlines()]
    assert printed == [epoch.lrs[0] for epoch in run.train()][:-1]


def test_reads_as_the_linter_and_the_formatter_would_have_it(compose: Any, tmp_path: Path) -> None:
    for path in (Path(__file__).parent.parent / "conf" / "scheduler").glob("*.yaml"):
        for every in ("epoch", "batch"):
            run = spec(compose, path.stem, every)
            (tmp_path / f"{path.stem}_{every}.py").write_text(snippet(run.config, ["a run"]))
    for words in (["check"], ["format", "--diff", "--line-length=100"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--isolated", "--no-cache", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_no_schedule_is_no_scheduler(compose: Any) -> None:
    text = snippet(prepare(compose("scheduler=none")).config)
    assert "scheduler" not in text.replace("# Yours", "")


def test_nested_schedulers_are_written_as_they_are_nested(compose: Any) -> None:
    linear = "{_target_: torch.optim.lr_scheduler.LinearLR, total_iters: 2, start_factor: 0.5}"
    curve = "{_target_: lrlab.curves.rex, total: 9}"
    run = prepare(
        compose(
            "scheduler=none",
            "scheduler._target_=torch.optim.lr_scheduler.SequentialLR",
            f"+scheduler.schedulers=[{linear},{curve}]",
            "+scheduler.milestones=[2]",
            "epochs=6",
        )
    )
    text = snippet(run.config)
    assert "    [\n" not in text
    assert "LinearLR(optimizer, total_iters=2, start_factor=0.5)" in text
    assert run_as_it_stands(text) == [epoch.lrs[0] for epoch in run.train()]


def test_a_scheduler_that_takes_others_first_gets_the_optimizer_by_name(compose: Any) -> None:
    decay = "{_target_: torch.optim.lr_scheduler.ExponentialLR, gamma: 0.5}"
    run = prepare(
        compose(
            "scheduler=none",
            "scheduler._target_=torch.optim.lr_scheduler.ChainedScheduler",
            f"+scheduler.schedulers=[{decay},{decay}]",
            "epochs=3",
        )
    )
    text = snippet(run.config)
    assert run_as_it_stands(text) == [epoch.lrs[0] for epoch in run.train()]


OWN = '''
import math as m

from torch.optim.lr_scheduler import StepLR

PEAK = 0.5


class Stairs(StepLR):
    """A class of one's own."""


def stairs(optimizer, *, gamma):
    """A maker of one's own."""
    return Stairs(optimizer, 1, gamma=gamma)


def wave(step, *, length):
    """A curve of one's own.

    At length.
    """
    if length < 1:
        raise ValueError(f"too short: {length}")
    # The peak is a constant of the module.
    return _lifted(m.sin(step / length))


def _lifted(value):
    return PEAK * (1 + value)
'''


@pytest.mark.parametrize(
    ("target", "arguments", "line"),
    [
        ("Stairs", ("step_size=2", "gamma=0.5"), "Stairs(optimizer, step_size=2, gamma=0.5)"),
        ("stairs", ("gamma=0.5",), "stairs(optimizer, gamma=0.5)"),
        ("wave", ("length=4",), "LambdaLR(optimizer, partial(wave, length=4))"),
    ],
)
def test_what_is_a_person_s_own_is_written_too(
    compose: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    arguments: tuple[str, ...],
    line: str,
) -> None:
    (tmp_path / "of_mine.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SWEEPS_PACKAGES", "of_mine")
    read_trusted()
    typed = [f"+scheduler.{argument}" for argument in arguments]
    run = prepare(compose("scheduler=none", f"scheduler._target_=of_mine.{target}", *typed))
    text = snippet(run.config)
    assert line in text
    assert run_as_it_stands(text) == [epoch.lrs[0] for epoch in run.train()]


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("0.95 ** epoch", "lambda epoch: 0.95**epoch"),
        ("1 / sqrt(1 + step)", "lambda step: 1 / math.sqrt(1 + step)"),
        ("1", "lambda epoch: 1"),
        ("step / (epoch + 1)", "lambda step: step / (step + 1)"),
        ("(0.5 ** 2) ** epoch", "lambda epoch: (0.5**2) ** epoch"),
        ("1 + -epoch ** 2 / 1e9", "lambda epoch: 1 + -(epoch**2) / 1000000000.0"),
        ("2 ** -epoch", "lambda epoch: 2**-epoch"),
        ("2 ** (-epoch / 3)", "lambda epoch: 2 ** (-epoch / 3)"),
        ("e ** -epoch * (1 + cos(pi * epoch))", None),
        ("max(0.1, 1 - epoch / 10) if epoch < 5 else 0.1", None),
        ("floor(5.5) / ceil(epoch + 1.5) * abs(-1)", None),
        ("1.0 if finite(epoch) and not epoch > 3 else 0.5", None),
    ],
)
def test_an_expression_is_the_same_arithmetic_in_python(
    compose: Any, expression: str, written: str | None
) -> None:
    for scheduler in ("lambda", "multiplicative"):
        cfg = compose(f"scheduler={scheduler}", f'scheduler.expression="{expression}"', "epochs=8")
        run = prepare(cfg)
        text = snippet(run.config)
        assert written is None or f"(optimizer, {written})" in text
        assert run_as_it_stands(text) == [epoch.lrs[0] for epoch in run.train()]


def test_comments_stand_at_the_head(compose: Any) -> None:
    text = snippet(prepare(compose()).config, ["where from", "how"])
    assert text.startswith("# where from\n# how\nimport torch\n")
