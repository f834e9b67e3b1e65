"""The training loop of a program, with the run's clipping, accumulation, precision and average."""

from collections.abc import Iterator, Mapping
from typing import Any

from sweeps.codegen.literals import literal
from sweeps.config.config_groups import Stepping, TrainingSettings
from sweeps.config.validation.signatures import check_arguments

FIRST = 'optimizer.param_groups[0]["lr"]'
EVERY = '*[group["lr"] for group in optimizer.param_groups]'
PLAIN = """\
for epoch in range({epochs}):
    print(epoch, {rates})
    for x, y in batches:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()"""
AVERAGES = "torch.optim.swa_utils"


def read(config: Mapping[str, Any]) -> TrainingSettings:
    """How a run was trained; the defaults for runs of older versions.

    Raises:
        ConfigError: an unknown key or a wrong type.
    """
    node = config.get("training") or {}
    values = {k: v for k, v in node.items() if k not in ("require", "objective")}
    check_arguments("training.", values, TrainingSettings, ("objective",))
    return TrainingSettings(**values)


def doubts(training: TrainingSettings, *, own_step: bool = False) -> list[str]:
    """What the program does not do as the run did."""
    stops = f"CAUTION: the run was to stop after {training.patience} epochs without a better result"
    step = "CAUTION: the task's own training step is not in this program"
    return [*([stops] if training.patience else []), *([step] if own_step else [])]


def preparations(training: TrainingSettings) -> list[str]:
    """Statements before the loop."""
    found = []
    if training.precision == "float16":
        found.append("scaler = torch.amp.GradScaler(next(model.parameters()).device.type)")
    if training.average == "ema":
        mean = f"{AVERAGES}.get_ema_multi_avg_fn({literal(training.ema_decay)})"
        found.append(_average(f"multi_avg_fn={mean}, "))
    elif training.average == "swa":
        found.append(_average(""))
    return found


def _average(mean: str) -> str:
    made = f"average = {AVERAGES}.AveragedModel(model, {mean}use_buffers=True)"
    return f"# The run's weights are those of average.module.\n{made}"


def loop(
    epochs: int, stepping: Stepping | None, training: TrainingSettings, *, groups: bool
) -> str:
    """The loop; a plain one where nothing else was asked for."""
    rates = EVERY if groups else FIRST
    lower = training.precision != "float32"
    if not (training.clip_norm or training.average or training.accumulate > 1 or lower):
        text = PLAIN.format(epochs=epochs, rates=rates)
        return "\n".join([text, *_schedule(stepping, "batch", 8), *_schedule(stepping, "epoch", 4)])
    return "\n".join(
        [
            f"for epoch in range({epochs}):",
            f"    print(epoch, {rates})",
            "    for number, (x, y) in enumerate(batches, 1):",
            *_step(training, stepping),
            *_schedule(stepping, "epoch", 4),
            *_swa(training),
        ]
    )


def _step(training: TrainingSettings, stepping: Stepping | None) -> Iterator[str]:
    scaled = training.precision == "float16"
    if training.precision == "float32":
        yield "        loss = criterion(model(x), y)"
    else:
        yield f"        with torch.autocast(x.device.type, torch.{training.precision}):"
        yield "            loss = criterion(model(x), y)"
    some = training.accumulate > 1
    share = f"(loss / {training.accumulate})" if some else "loss"
    yield f"        {f'scaler.scale({share})' if scaled else share}.backward()"
    if some:
        yield f"        if number % {training.accumulate} == 0 or number == len(batches):"
    for line in _update(training, stepping, scaled=scaled):
        yield f"{' ' * (12 if some else 8)}{line}"


def _update(
    training: TrainingSettings, stepping: Stepping | None, *, scaled: bool
) -> Iterator[str]:
    if training.clip_norm is not None:
        if scaled:
            yield "scaler.unscale_(optimizer)"
        clip = literal(training.clip_norm)
        yield f"torch.nn.utils.clip_grad_norm_(model.parameters(), {clip})"
    yield from (["scaler.step(optimizer)", "scaler.update()"] if scaled else ["optimizer.step()"])
    yield "optimizer.zero_grad()"
    yield from _schedule(stepping, "batch", 0)
    if training.average == "ema":
        yield "average.update_parameters(model)"


def _swa(training: TrainingSettings) -> list[str]:
    if training.average != "swa":
        return []
    return [
        f"    if epoch >= {training.swa_start}:",
        "        average.update_parameters(model)",
    ]


def _schedule(stepping: Stepping | None, event: str, indent: int) -> list[str]:
    if stepping is None or stepping.step_every != event:
        return []
    watched = {"epoch": "validate()", "batch": "loss.item()"}[event] if stepping.monitor else ""
    return [f"{' ' * indent}scheduler.step({watched})"]
