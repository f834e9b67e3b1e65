"""The torch program of a run."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sweeps.codegen.calls import Text, called
from sweeps.codegen.group_code import (
    PLACEHOLDER,
    Group,
    as_params,
    has_own_step,
    names,
    own_groups,
)
from sweeps.codegen.layout import fit
from sweeps.codegen.literals import comment
from sweeps.codegen.loops import doubts, loop, preparations, read
from sweeps.codegen.preambles import Preamble
from sweeps.codegen.values import as_text
from sweeps.config.config_groups import RunSettings, Stepping, call_for_group, check, meta_values
from sweeps.config.errors import ConfigError
from sweeps.config.validation.signatures import check_types

NO_SCHEDULE = "lrlab.curves.flat"

YOURS = """\
# Yours: model, data and loss.{length}
model = {model}
batches = {repeated}[(torch.randn(100, 5), torch.randn(100, 1))]
criterion = torch.nn.MSELoss()"""

VALIDATE = '''\
@torch.no_grad()
def validate() -> float:
    """The loss that the scheduler watches."""
    return sum(criterion(model(x), y).item() for x, y in batches) / len(batches)'''


def snippet(config: Mapping[str, Any], comments: Sequence[str] = ()) -> str:
    """A program with the optimizer and the schedule of a run, which needs torch and nothing else.

    It runs as it stands: it trains a placeholder on random data and prints the learning rate at
    the beginning of each epoch, which is to the last digit the run's own (of a schedule that
    watches the loss: once the model and the data are the run's own too). What the config holds
    stands in it as literals, and its expressions as arithmetic, whatever they say.

    Args:
        config: of the run, every value worked out: its `artifacts/config.yaml`.
        comments: lines that say where it comes from.

    Raises:
        TargetError: the optimizer or the scheduler may not be called from a config.
        ConfigError: something in the config cannot work, or not be written.
    """
    check_run(config)
    preamble, stepping = Preamble(), _stepping(config["scheduler"])
    preamble.module("torch")
    training = read(config)
    if training.average:
        preamble.module("torch.optim.swa_utils")
    groups, cautions = _groups(config)
    cautions = [*cautions, *doubts(training, own_step=has_own_step(config["task"]))]
    made = list(_made(config, preamble, stepping, groups))
    return _spaced(
        "\n".join([*map(comment, [*comments, *cautions]), preamble.imports()]),
        *preamble.definitions(),
        *([PLACEHOLDER, names(groups)] if groups else []),
        _yours(config, stepping, groups),
        *_validation(stepping),
        "\n".join(made),
        *preparations(training),
        loop(config["epochs"], stepping, training, groups=bool(groups)) + "\n",
    )


def check_run(config: Mapping[str, Any]) -> None:
    """Check what is written into a program as it was checked before the run.

    Raises:
        ConfigError: a wrong type, an unknown key or a value that is not allowed.
    """
    for group in ("optimizer", "scheduler"):
        check(config[group], group)
    check_types("", {"epochs": config["epochs"]}, RunSettings)
    check_types("scheduler.", meta_values(config["scheduler"], "scheduler"), Stepping)
    batches = config["task"].get("batches", 1)
    if type(batches) is not int:
        raise ConfigError(f"task.batches={batches!r} is not allowed: it must be int")


def _groups(config: Mapping[str, Any]) -> tuple[list[Group], list[str]]:
    """The run's parameter groups, and a line where they cannot be known here."""
    try:
        return own_groups(config), []
    except ConfigError as error:
        return [], [
            "CAUTION: the task's parameter groups are not known here, so that all parameters",
            f"are in one group, which may not be what was trained. {error}",
        ]


def _stepping(node: Mapping[str, Any]) -> Stepping | None:
    """When the scheduler steps; None where there is none to step."""
    return None if node["_target_"] == NO_SCHEDULE else Stepping(**meta_values(node, "scheduler"))


def _made(
    config: Mapping[str, Any],
    preamble: Preamble,
    stepping: Stepping | None,
    groups: Sequence[Group],
) -> Iterator[str]:
    params = Text(as_params(groups) if groups else "model.parameters()")
    optimizer = called("optimizer", config["optimizer"], params=params)
    yield fit(f"optimizer = {call_for_group('optimizer', as_text, optimizer, preamble)}")
    if stepping is not None:
        scheduler = called("scheduler", config["scheduler"], optimizer=Text("optimizer"))
        yield fit(f"scheduler = {call_for_group('scheduler', as_text, scheduler, preamble)}")


def _yours(config: Mapping[str, Any], stepping: Stepping | None, groups: Sequence[Group]) -> str:
    model = "Placeholder(sum(GROUPS, []))" if groups else "torch.nn.Linear(5, 1)"
    if stepping is None:
        return YOURS.format(length="", repeated="", model=model)
    by_batch = stepping.step_every == "batch"
    batches = config["task"].get("batches", 1) if by_batch else 1
    length = _count(config["epochs"], "epoch", "s")
    length += f" of {_count(batches, 'batch', 'es')}" if by_batch else ""
    repeated = f"{batches} * " if batches > 1 else ""
    length = f" The schedule is made for {length}."
    return YOURS.format(length=length, repeated=repeated, model=model)


def _validation(stepping: Stepping | None) -> list[str]:
    """What gives the metric that the scheduler watches after an epoch."""
    if stepping is None or stepping.monitor is None or stepping.step_every == "batch":
        return []
    name = stepping.monitor
    own = f"; yours: {ascii(name)[1:-1]}" if name != "loss" else ""
    return [VALIDATE.replace(" the scheduler watches.", f" the scheduler watches{own}.")]


def _count(number: int, what: str, plural: str) -> str:
    return f"{number} {what}{plural if number != 1 else ''}"


def _spaced(*blocks: str) -> str:
    """Two empty lines around functions, one elsewhere."""
    text = blocks[0]
    for before, block in pairwise(blocks):
        apart = any(either.startswith(("def ", "@", "class ")) for either in (before, block))
        text += ("\n\n\n" if apart else "\n\n") + block
    return text
