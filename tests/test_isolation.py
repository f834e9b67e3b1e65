"""Of runs that train together only those fail that fail alone; and a batch fits into memory."""

import json
import math
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lrlab import Epoch, LinearRegression, Task
from lrlab.batch.memory import available_bytes, model_bytes
from lrlab.history import read_history
from lrlab.tracking import NoTracker, RunFolder, RunInfo
from sweeps.runs.memory_fit import most_together
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.runs.train_runs import run
from sweeps.runs.writing.run_writer import RunWriter
from sweeps.verdict.final_losses import losses
from sweeps.verdict.retrain import Budget, Candidate, evaluate, finalists, select

SMALL = ("scheduler=step", "epochs=6", "task.n=60", "task.batch_size=20")

OWN = """
import sys

import torch

from lrlab import LinearRegression


class Odd(LinearRegression):
    def __init__(self, kind, **about):
        super().__init__(n=50, p=3, **about)
        self.kind = kind
        if kind == "absent":
            raise KeyError("no such data \\udcff")

    def loss(self, model, batch):
        if self.kind == "broken":
            raise IndexError("broken \\udcff")
        if self.kind == "leaves":
            sys.exit("done")
        return super().loss(model, batch)

    def stacked_loss(self, model, stack, batch, *, shared):
        self.loss(model, batch) if self.kind != "fine" else None
        return super().stacked_loss(model, stack, batch, shared=shared)


class Fragile(torch.optim.SGD):
    def step(self, closure=None):
        if torch.initial_seed() >= 2_000_000:
            raise RuntimeError("too fresh\\nfor me")
        return super().step(closure)
"""


class Failing(torch.optim.SGD):
    """Raises in its fourth step."""

    def step(self, closure: Any = None) -> Any:
        self.steps = getattr(self, "steps", 0) + 1
        if self.steps == 4:
            raise ZeroDivisionError("the fourth step")
        return super().step(closure)


def at(spec: RunSpec, lr: float, kind: Any = torch.optim.SGD) -> RunSpec:
    recipe = replace(spec.recipe, optimizer=lambda parameters: kind(parameters, lr=lr))
    return replace(spec, recipe=recipe)


def writer(spec: RunSpec, folder: Path, report: Any = lambda *_: False) -> RunWriter:
    return RunWriter(spec, RunInfo("run"), RunFolder(folder), NoTracker(), report)


@pytest.fixture
def spec(compose: Callable[..., Any]) -> RunSpec:
    return prepare(compose(*SMALL))


def test_of_a_batch_only_the_run_that_raises_fails(spec: RunSpec, tmp_path: Path) -> None:
    specs = [at(spec, lr) for lr in (0.01, 0.02, 0.05, 0.1)]
    specs.insert(2, at(spec, 0.1, Failing))
    reports: list[list[int]] = [[] for _ in specs]
    writers = [
        writer(one, tmp_path / str(i), lambda _, step, i=i: reports[i].append(step))
        for i, one in enumerate(specs)
    ]
    ended = dict(run(writers))
    assert sorted(ended) == [0, 1, 2, 3, 4]
    assert isinstance(ended.pop(2), ZeroDivisionError)
    for place, last in ended.items():
        ((alone,),) = [losses([specs[place]])]
        assert isinstance(last, Epoch)
        assert last.losses == pytest.approx(alone, rel=1e-5)
        rows = read_history(tmp_path / str(place) / "artifacts/history.csv")
        assert [row["epoch"] for row in rows] == [0, 1, 2, 3, 4, 5, 6]
        assert reports[place] == [1, 2, 3, 4, 5, 6]
    states = [json.loads((tmp_path / f"{i}/run.json").read_text())["tags"] for i in range(5)]
    assert [state["state"] for state in states] == ["complete"] * 2 + ["failed"] + ["complete"] * 2
    assert states[2]["reason"] == "the fourth step"


def test_a_run_that_nobody_takes_to_its_end_says_that_it_was_stopped(
    spec: RunSpec, tmp_path: Path
) -> None:
    other = writer(at(spec, 0.01), tmp_path / "b")
    runs = run([writer(at(spec, 0.1), tmp_path / "a", lambda *_: True), other])
    next(runs)
    runs.close()
    tags = json.loads((tmp_path / "b/run.json").read_text())["tags"]
    assert (tags["state"], tags["reason"]) == ("interrupted", "stopped before its end")


def test_a_finalist_that_raises_is_out_with_its_reason_and_no_other(spec: Any) -> None:
    good, bad, other = (
        Candidate("step", at(spec, 0.1)),
        Candidate("step", at(spec, 0.1, Failing)),
        Candidate("step", at(spec, 0.01)),
    )
    ordered, failed = select([bad, other, good], Budget(3, 2, 4))
    assert ordered == [good, other]
    assert [(f.candidate, f.reason) for f in failed] == [
        (bad, "ZeroDivisionError: the fourth step")
    ]
    evaluated, failed = evaluate([good, bad, other], Budget(3, 2, 4))
    assert [finalist.rank for finalist in finalists(evaluated)] == [0, 1]
    assert [f.candidate for f in failed] == [bad]


class Wild(LinearRegression):
    """A training that is lost from a start where the first weight is above zero."""

    def loss(self, model: Any, batch: Any) -> Any:
        first = model.weight.flatten()[0]
        return super().loss(model, batch) * torch.where(first > 0, 1e30, 1.0)

    stacked_loss = Task.stacked_loss


def test_a_seed_that_diverges_leaves_a_finalist_its_others(spec: Any) -> None:
    settings = [replace(spec.settings, seed=seed, seeds=1) for seed in range(6)]
    settings.append(replace(spec.settings, seed=0, seeds=6))
    wild = replace(at(spec, 1e-3), task=Wild(n=60))
    *alone, together = losses([replace(wild, settings=one) for one in settings])
    assert together == pytest.approx([loss for (loss,) in alone], rel=1e-4)
    assert 0 < together.count(math.inf) < 6


def test_a_sweep_goes_on_without_the_trials_and_finalists_that_raise(
    command, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(OWN)
    kinds = "choice(fine,absent,broken,leaves)"
    for group, text in {
        "task/odd": f"_target_: own.Odd\nkind: fine\nsearch: {{kind: '{kinds}'}}\n",
        "optimizer/fragile": "_target_: own.Fragile\nlr: 0.1\n",
        "optimizer/plain": "_target_: torch.optim.SGD\nlr: 0.1\n",
    }.items():
        path = tmp_path / "mine" / f"{group}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = command(
        *("--config-dir", "mine", "-m", "optimizer=plain,fragile", "task=odd", "epochs=3"),
        *(f"task.kind={kinds}", "hydra/sweeper/sampler=grid"),
        *("hydra.sweeper.n_trials=4", "hydra.sweeper.study_name=mine", "scheduler=none"),
        *("hydra.sweeper.max_failure_rate=1.0", "verdict.selection=2", "verdict.fresh=2"),
        SWEEPS_PACKAGES="own",
        PYTHONPATH=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    runs = [json.loads(p.read_text()) for p in (tmp_path / "mlruns/jobs").rglob("run.json")]
    ends = sorted((r["tags"]["state"], r["tags"].get("reason", "")) for r in runs)
    assert ends == [
        *[("complete", "")] * 2,
        *[("failed", "'no such data \\udcff'")] * 2,
        *[("failed", "broken \\udcff")] * 2,
        *[("failed", "the task called sys.exit('done')")] * 2,
    ]
    verdict = json.loads((tmp_path / "mlruns/studies/mine/artifacts/verdict.json").read_text())
    assert [standing["family"] for standing in verdict["ranking"]["standings"]] == ["plain"]
    (out,) = verdict["excluded"]
    assert (out["family"], out["reason"]) == ("fragile", "RuntimeError: too fresh")
    assert (
        f"fragile: trial {out['trial']} could not be evaluated: RuntimeError: too fresh"
        in done.stdout
    )


SHORT_OF_MEMORY = """
import logging
import resource
import sys
from dataclasses import replace
from pathlib import Path

import hydra
import torch

sys.path.insert(0, {here!r})
from tests.test_isolation import Wide, at, writer
from sweeps.config.resolvers import conf_dir, register_resolvers
from sweeps.runs.run_spec import prepare
from sweeps.verdict.final_losses import losses
from sweeps.runs.train_runs import run

logging.basicConfig()
register_resolvers()
torch.set_num_threads(1)
with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
    cfg = hydra.compose("config", ["tracking=none", "epochs=2", "scheduler=none"])
spec = replace(prepare(cfg), task=Wide())
losses([at(spec, 1e-9)] * 2)  # what torch takes for itself, and the libraries of a run
dict(run([writer(at(spec, 1e-9), Path("first"))]))
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 300 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
ended = dict(run([writer(at(spec, 1e-9), Path(str(i))) for i in range(40)]))
print(sorted({{last.number for last in ended.values()}}), len(ended))
many = replace(at(spec, 1e-9), settings=replace(spec.settings, seeds=40))
print({{len(found) for found in losses([many] * 2)}})
"""


class Wide(LinearRegression):
    """A task whose model takes five megabytes."""

    def __init__(self) -> None:
        super().__init__(n=2)
        self.best_loss = None  # type: ignore[assignment]

    def model(self) -> Any:
        return nn.Sequential(nn.Linear(5, 200_000, bias=False), nn.Linear(200_000, 1))

    def evaluate(self, model: Any) -> Any:
        return nn.functional.mse_loss(model(self.x), self.y)

    stacked_loss, stacked_evaluate = Task.stacked_loss, Task.stacked_evaluate


def test_a_batch_that_is_too_large_for_the_memory_goes_on_in_halves(
    warm: str, tmp_path: Path
) -> None:
    program = SHORT_OF_MEMORY.format(here=str(Path(__file__).parents[1]))
    done = subprocess.run(
        [warm, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[2] 40", "{40}"]
    assert "memory ran short with 40 runs" in done.stderr
    assert "hydra.sweeper.batch_size=20" in done.stderr


class Large(LinearRegression):
    def model(self) -> Any:
        return nn.Sequential(nn.Linear(10, 2_000_000), nn.Linear(2_000_000, 1))


def test_a_batch_takes_no_more_than_the_memory_that_is_free(spec: RunSpec) -> None:
    assert most_together(spec) == 64
    configs = {**spec.config, "task": {"_target_": "Large"}}
    large = replace(spec, task=Large(n=20, p=10), config=configs)
    size, most = model_bytes(large.task, large.recipe, 1), most_together(large)
    assert size >= 4 * 96_000_000
    assert most == 1 or most * size < (available_bytes(torch.device("cpu")) or math.inf)


def test_an_optimizer_s_moments_count_as_memory(spec: RunSpec) -> None:
    plain, adam = at(spec, 0.1), at(spec, 0.1, torch.optim.Adam)
    sizes = [model_bytes(one.task, one.recipe, 1) for one in (plain, adam)]
    assert sizes[1] - sizes[0] == 2 * 6 * 4
