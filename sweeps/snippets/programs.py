"""The torch program of a run."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sweeps.nodes import Stepping, about
from sweeps.snippets.calls import Text, called
from sweeps.snippets.layout import fit
from sweeps.snippets.preambles import Preamble
from sweeps.snippets.values import as_text

NO_SCHEDULE = "lrlab.curves.flat"

YOURS = """\
# Yours: model, data and loss.{length}
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
    stepping = _stepping(config["scheduler"])
    made = list(_made(config, preamble, stepping))
    return _spaced(
        "\n".join([*(f"# {line}" for line in comments), preamble.imports()]),
        *preamble.definitions(),
        _yours(config, stepping),
        *([VALIDATE] if stepping == Stepping("epoch", "loss") else []),
        "\n".join(made),
        _loop(config["epochs"], stepping),
    )


def _stepping(node: Mapping[str, Any]) -> Stepping | None:
    """When the scheduler steps; None where there is none to step."""
    return None if node["_target_"] == NO_SCHEDULE else Stepping(**about(node, "scheduler"))


def _made(
    config: Mapping[str, Any], preamble: Preamble, stepping: Stepping | None
) -> Iterator[str]:
    optimizer = called("optimizer", config["optimizer"], params=Text("model.parameters()"))
    yield fit(f"optimizer = {as_text(optimizer, preamble)}")
    if stepping is not None:
        scheduler = called("scheduler", config["scheduler"], optimizer=Text("optimizer"))
        yield fit(f"scheduler = {as_text(scheduler, preamble)}")


def _yours(config: Mapping[str, Any], stepping: Stepping | None) -> str:
    if stepping is None:
        return YOURS.format(length="", repeated="")
    by_batch = stepping.step_every == "batch"
    batches = config["task"].get("batches", 1) if by_batch else 1
    length = _count(config["epochs"], "epoch", "s")
    length += f" of {_count(batches, 'batch', 'es')}" if by_batch else ""
    repeated = f"{batches} * " if batches > 1 else ""
    return YOURS.format(length=f" The schedule is made for {length}.", repeated=repeated)


def _count(number: int, what: str, plural: str) -> str:
    return f"{number} {what}{plural if number != 1 else ''}"


def _loop(epochs: int, stepping: Stepping | None) -> str:
    text = LOOP.format(epochs=epochs)
    if stepping is None:
        return text + "\n"
    watched = {"epoch": "validate()", "batch": "loss.item()"} if stepping.monitor else {}
    indent = {"epoch": " " * 4, "batch": " " * 8}[stepping.step_every]
    return f"{text}\n{indent}scheduler.step({watched.get(stepping.step_every, '')})\n"


def _spaced(*blocks: str) -> str:
    """Two empty lines around functions, one elsewhere."""
    text = blocks[0]
    for before, block in pairwise(blocks):
        apart = any(either.startswith(("def ", "@")) for either in (before, block))
        text += ("\n\n\n" if apart else "\n\n") + block
    return text
