"""The torch program of a run."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sweeps.nodes import about
from sweeps.snippets.calls import Text, called
from sweeps.snippets.layout import fit
from sweeps.snippets.preambles import Preamble
from sweeps.snippets.values import as_text

NO_SCHEDULE = "lrlab.curves.flat"

YOURS = """\
# Yours: model, data and loss. The schedule is made for {length}.
model = torch.nn.Linear(5, 1)
batches = {repeated}[(torch.randn(100, 5), torch.randn(100, 1))]
criterion = torch.nn.MSELoss()"""

VALIDATE = '''\
@torch.no_grad()
def validate() -> float:
    """The loss that the scheduler watches."""
    return sum(criterion(model(x), y).item() for x, y in batches) / len(batches)'''

LOOP = """\
for epoch in range({epochs}):
    print(epoch, optimizer.param_groups[0]["lr"])
    for x, y in batches:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()"""


def snippet(config: Mapping[str, Any], comments: Sequence[str] = ()) -> str:
    """A program with the optimizer and the schedule of a run, which needs torch and nothing else.

    It runs as it stands: it trains a placeholder on random data and prints the learning rate at
    the beginning of each epoch, which is to the last digit the run's own (of a schedule that
    watches the loss: once the model and the data are the run's own too).

    Args:
        config: of the run, every value worked out: its `artifacts/config.yaml`.
        comments: lines that say where it comes from.

    Raises:
        TargetError: the optimizer or the scheduler may not be called from a config.
    """
    preamble = Preamble()
    preamble.module("torch")
    made, stepping = [_optimizer(config, preamble)], about(config["scheduler"], "scheduler")
    if config["scheduler"]["_target_"] == NO_SCHEDULE:
        stepping = {}
    else:
        made.append(_scheduler(config, preamble))
    head = [*(f"# {line}" for line in comments), preamble.imports()]
    validation = [VALIDATE] if "monitor" in stepping and stepping["step_every"] == "epoch" else []
    return _spaced(
        "\n".join(head),
        *preamble.definitions(),
        _yours(config, stepping),
        *validation,
        "\n".join(made),
        _loop(config["epochs"], stepping),
    )


def _optimizer(config: Mapping[str, Any], preamble: Preamble) -> str:
    call = called("optimizer", config["optimizer"], params=Text("model.parameters()"))
    return fit(f"optimizer = {as_text(call, preamble)}")


def _scheduler(config: Mapping[str, Any], preamble: Preamble) -> str:
    call = called("scheduler", config["scheduler"], optimizer=Text("optimizer"))
    return fit(f"scheduler = {as_text(call, preamble)}")


def _yours(config: Mapping[str, Any], stepping: Mapping[str, Any]) -> str:
    if stepping.get("step_every") != "batch":
        return YOURS.format(length=_count(config["epochs"], "epoch"), repeated="")
    batches = config["task"].get("batches", 1)
    length = f"{_count(config['epochs'], 'epoch')} of {_count(batches, 'batch', 'es')}"
    return YOURS.format(length=length, repeated=f"{batches} * " if batches > 1 else "")


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}{plural}"


def _loop(epochs: int, stepping: Mapping[str, Any]) -> str:
    watched = {"epoch": "validate()", "batch": "loss"} if "monitor" in stepping else {}
    steps = {
        every: f"\n{indent}scheduler.step({watched.get(every, '')})"
        for every, indent in (("epoch", " " * 4), ("batch", " " * 8))
    }
    return LOOP.format(epochs=epochs) + steps.get(stepping.get("step_every", ""), "") + "\n"


def _spaced(*blocks: str) -> str:
    """Two empty lines around functions, one elsewhere."""
    text = blocks[0]
    for before, block in pairwise(blocks):
        apart = any(either.startswith(("def ", "@")) for either in (before, block))
        text += ("\n\n\n" if apart else "\n\n") + block
    return text
