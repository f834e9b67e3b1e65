"""An exported program moves a task's own parameter groups as the run did."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import torch

from lrlab.training import fresh_model
from sweeps.codegen import snippet
from sweeps.config.errors import ConfigError
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.trust.trusted_names import read_trusted

TASKS = """
import torch
from torch import nn

from lrlab.tasks import Task


class Net(Task):
    batches_per_epoch = 2

    def __init__(self, device):
        self.x = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
        self.y = self.x.sum(1, keepdim=True)

    def model(self):
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))

    def batches(self, generator):
        order = torch.randperm(8, generator=generator)
        return [(self.x[part], self.y[part]) for part in order.split(4)]

    def loss(self, model, batch):
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    def evaluate(self, model):
        return nn.functional.mse_loss(model(self.x), self.y)


class Slower(Net):
    \"\"\"The head at a rate of its own, and no decay of the biases.\"\"\"

    def parameter_groups(self, model):
        yield {"params": [model[0].weight]}
        yield {"params": [model[2].weight], "lr": 0.03}
        yield {"params": [model[0].bias, model[2].bias], "weight_decay": 0.0}


class Head(Net):
    \"\"\"Only the head is trained.\"\"\"

    def parameter_groups(self, model):
        return model[2].parameters()


class Named(Net):
    \"\"\"All parameters after all, with their names as torch takes them, too.\"\"\"

    def parameter_groups(self, model):
        return model.named_parameters()


class Missing(Slower):
    def __init__(self, device):
        raise FileNotFoundError("no data here")


def chosen(device):
    return Slower(device)
"""
SHORT = ("epochs=4", "optimizer.weight_decay=0.05", "optimizer.lr=0.2")
Prepare = Callable[..., RunSpec]


@pytest.fixture
def prepared(compose: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """A run of a task of one's own."""
    (tmp_path / "task").mkdir()
    (tmp_path / "tasks_of_mine.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SWEEPS_PACKAGES", "tasks_of_mine")
    read_trusted()

    def make(name: str, *overrides: str) -> RunSpec:
        own = f"_target_: tasks_of_mine.{name}\nbatches: 2\n"
        (tmp_path / "task" / "mine.yaml").write_text(own)
        path = f"hydra.searchpath=['file://{tmp_path}']"
        return prepare(compose(path, "task=mine", *SHORT, *overrides))

    return make


def trained(text: str, run: RunSpec) -> tuple[list[list[float]], Any]:
    """What the program prints with the run's model and data in their places, and the model."""
    before, _, rest = text.partition("# Yours")
    after = "optimizer = " + rest.partition("\noptimizer = ")[2]
    model, generator = fresh_model(run.task, run.settings.seed), torch.Generator()
    generator.manual_seed(run.settings.seed)

    class Batches:
        def __iter__(self) -> Any:
            return iter(run.task.batches(generator))

    own = {"model": model, "batches": Batches(), "criterion": torch.nn.functional.mse_loss}
    names: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()) as printed:
        exec(before, names)  # noqa: S102
        exec(after, names | own)  # noqa: S102
    lines = printed.getvalue().splitlines()
    return [[float(word) for word in line.split()[1:]] for line in lines], model


@pytest.mark.parametrize("words", [("optimizer=sgd", "scheduler=cosine"), ("optimizer=adamw",)])
@pytest.mark.parametrize("name", ["Slower", "Head", "Named", "Net"])
def test_the_program_trains_as_the_run_did_to_the_last_digit(
    prepared: Prepare, name: str, words: tuple[str, ...]
) -> None:
    run, again = prepared(name, *words), prepared(name, *words)
    epochs = list(run.train())
    torch.manual_seed(0)
    rates, model = trained(snippet(again.config), again)
    groups = len(epochs[0].lrs)
    assert rates == [list(epoch.lrs) for epoch in epochs[:-1]]
    assert groups == (3 if name == "Slower" else 1)
    with torch.no_grad():
        assert float(again.task.evaluate(model)) == epochs[-1].loss
    values = [value for p in model.parameters() for value in p.detach().flatten().tolist()]
    assert values == list(epochs[-1].weights.values())


def test_a_schedule_s_rates_of_each_group_are_there(prepared: Prepare) -> None:
    run = prepared("chosen", "scheduler=one_cycle", "scheduler.max_lr=[0.2,0.03,0.4]")
    rates, _ = trained(snippet(run.config), run)
    assert rates == [list(epoch.lrs) for epoch in list(run.train())[:-1]]
    assert [lrs[1] for lrs in rates] == pytest.approx([0.15 * lrs[0] for lrs in rates])


def test_rates_of_the_groups_that_a_schedule_replaces_draw_a_warning(prepared: Prepare) -> None:
    (warning,) = prepared("Slower", "scheduler=one_cycle").warnings
    assert "gives the task's 3 parameter groups one learning rate" in warning
    assert prepared("Slower", "scheduler=cosine").warnings == ()
    apart = ("scheduler=cyclic", "scheduler.base_lr=[0.01,0.01,0.01]", "scheduler.max_lr=[1,2,3]")
    assert "one learning rate" not in " ".join(prepared("Slower", *apart).warnings)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["scheduler=one_cycle", "scheduler.max_lr=[0.2,-0.1,0.4]"], "it needs max_lr >= 0"),
        (["scheduler=one_cycle", "scheduler.max_lr=[0.2,0.1]"], "has 2 values"),
        (["scheduler=swa", "scheduler.swa_lr=[0.2,0.1,a]"], "scheduler.swa_lr="),
    ],
)
def test_a_list_is_checked_element_by_element(
    prepared: Prepare, words: list[str], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        prepared("Slower", *words)


def test_lists_of_a_length_are_compared_element_by_element(prepared: Prepare) -> None:
    lists = ("scheduler.base_lr=[0.1,0.5,0.1]", "scheduler.max_lr=[0.2,0.3,0.4]")
    found = prepared("Slower", "scheduler=cyclic", *lists).warnings
    assert any("flat or upside down" in line for line in found)


def test_the_program_runs_as_it_stands_with_the_rates_of_all_groups(prepared: Prepare) -> None:
    run = prepared("Slower", "scheduler=step")
    with redirect_stdout(io.StringIO()) as printed:
        exec(snippet(run.config), {})  # noqa: S102
    words = [line.split()[1:] for line in printed.getvalue().splitlines()]
    expected = [list(epoch.lrs) for epoch in run.train()]
    assert [[float(word) for word in line] for line in words] == expected[:-1]


def test_a_model_without_the_groups_parameters_is_refused_by_torch(prepared: Prepare) -> None:
    text = snippet(prepared("Slower").config).replace(
        "model = Placeholder(sum(GROUPS, []))", "model = torch.nn.Linear(5, 1)"
    )
    with pytest.raises(AttributeError, match="`0`"):
        exec(text, {})  # noqa: S102


def test_where_the_task_cannot_be_made_the_program_says_what_it_lacks(prepared: Prepare) -> None:
    config = prepared("Slower").config
    config["task"]["_target_"] = "tasks_of_mine.Missing"
    text = snippet(config)
    assert text.startswith("# CAUTION: the task's parameter groups are not known here")
    assert "no data here" in text
    assert "SGD(model.parameters()," in text
