"""The floor: bare batched training, raw inserts of the rows that ours leaves; no study, no files.

    python floor.py 1024 [--second-process] [--batch 64]

The database is `mlflow.db` in the current folder, in MLflow's own schema. With `--second-process`
one process trains while another writes.
"""

import argparse
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlflow_rows import Database, create

EPOCHS = 100
METRICS = ("lr", "loss", "excess_loss", "bias", *(f"weight/{i}" for i in range(5)))
Batch = tuple[int, list[dict[str, float]], Any]  # began, params, histories: see Database.write


def draw(members: int) -> dict[str, Any]:
    """Random values of the three swept arguments, each of shape (members,)."""
    import torch

    return {
        "lr": 10 ** torch.empty(members).uniform_(-3, 0),
        "T_max": torch.randint(50, 201, (members,)),
        "eta_min": torch.empty(members).uniform_(0, 0.01),
    }


def curves(lr: Any, T_max: Any, eta_min: Any, epochs: int) -> Any:  # noqa: N803 (torch's name)
    """Each member's cosine, of shape (epochs + 1, members)."""
    import torch

    epoch = torch.arange(epochs + 1)[:, None]
    return eta_min + (lr - eta_min) * (1 + torch.cos(torch.pi * epoch / T_max)) / 2


def train(weights: Any, lrs: Any) -> Any:
    """Train all members as one; give their histories.

    Args:
        weights: p weights and a bias for each member, shape (members, p + 1); changed in place.
        lrs: shape (epochs + 1, members).

    Returns:
        Shape (members, epochs + 1, 4 + p): the values of `METRICS` before training and after each
        epoch.
    """
    import torch
    from regression import data

    x, y = data()
    design = torch.cat([x, torch.ones(len(x), 1)], dim=1)
    best = (design @ torch.linalg.lstsq(design, y).solution - y).square().mean()
    weights.requires_grad_()
    history = []
    for lr in lrs:
        losses = (design @ weights.T - y).square().mean(dim=0)
        now, known = losses.detach(), weights.detach()
        row = torch.stack([lr, now, now - best, known[:, -1]], dim=1)
        history.append(torch.cat([row, known[:, :-1]], dim=1))
        if len(history) < len(lrs):
            (gradients,) = torch.autograd.grad(losses.sum(), weights)
            with torch.no_grad():
                weights -= lr[:, None] * gradients
    return torch.stack(history, dim=1)


def batches(n_trials: int, size: int) -> Iterator[Batch]:
    """Train so many members, batch by batch."""
    import torch

    torch.set_num_threads(1)  # more only cost time on tensors this small
    for start in range(0, n_trials, size):
        began = time.time_ns() // 1_000_000
        params = draw(min(size, n_trials - start))
        weights = torch.empty(len(params["lr"]), 6).uniform_(-(5**-0.5), 5**-0.5)
        histories = train(weights, curves(**params, epochs=EPOCHS))
        columns = (values.tolist() for values in params.values())
        rows = [dict(zip(params, row, strict=True)) for row in zip(*columns, strict=True)]
        yield began, rows, histories.numpy()


def write(path: Path, experiment: int, metrics: tuple[str, ...], received: Any) -> None:
    """Write the batches that come, until None comes."""
    database = Database(path, experiment, metrics)
    for began, params, histories in iter(received, None):
        database.write(began, params, histories.tolist())
    database.close()


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("n_trials", type=int)
    parser.add_argument("--second-process", action="store_true")
    parser.add_argument("--batch", type=int, default=64)
    given = parser.parse_args()
    about = (Path("mlflow.db"), create(Path("mlflow.db")), METRICS)
    trained = batches(given.n_trials, given.batch)
    if not given.second_process:
        write(*about, lambda: next(trained, None))
        return
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(maxsize=4)
    writer = context.Process(target=write_from, args=(*about, queue))
    writer.start()
    for batch in trained:
        queue.put(batch)
    queue.put(None)
    writer.join()
    if writer.exitcode:
        raise SystemExit(f"the writer ended with code {writer.exitcode}")


def write_from(path: Path, experiment: int, metrics: tuple[str, ...], queue: Any) -> None:
    """Write what comes through a queue; torch stays out of this process."""
    write(path, experiment, metrics, queue.get)


if __name__ == "__main__":
    main()
