"""What it costs to record a run in MLflow: the ways side by side, in one program.

    python benchmarks/tracking_cost.py [--runs 300] [--epochs 100] [--uri postgresql://...]

Per run, in milliseconds of CPU and on the clock: MLflow's public API once per epoch and in one
`log_batch`, the writer of `lrlab.tracking` by public calls and in bulk, and as the floor the bare
insertion of the same metric rows with sqlite3. The same rows go everywhere: 8 metrics an epoch, 25
params, 15 tags, 3 small files (the floor has the metrics only). Each way has a database of its own.
The writer reads the folders; that is part of its cost.
"""

import argparse
import csv
import gc
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from lrlab.tracking import RunFolder, RunInfo
from lrlab.tracking.run_columns import Value
from lrlab.tracking.run_data import RunUpdate, read_update
from lrlab.tracking.stores.open_experiment import open_experiment
from lrlab.tracking.writer.mlflow_writer import MlflowWriter

METRICS = ["lr", "loss", "excess_loss", "bias", *(f"weight/{i}" for i in range(4))]
INSERT = (
    "INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?)"
)
Recording = Callable[[], object]


def make(folder: Path, epochs: int, parent: RunFolder, random: Random) -> RunFolder:
    """A finished run's folder."""
    params = {f"group.parameter_{i}": random.random() for i in range(25)}
    tags = {f"tag_{i}": "a value" for i in range(12)}
    run = RunFolder(folder).begin(RunInfo(folder.name, params, tags, str(parent.path)))
    with run.history.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "milliseconds", *METRICS])
        began = time.time_ns() // 1_000_000
        for epoch in range(epochs + 1):
            writer.writerow([epoch, began + epoch // 5, *(random.random() for _ in METRICS)])
    (run.artifacts / "config.yaml").write_text("key: value\n" * 100)
    (run.artifacts / "weights.pt").write_bytes(bytes(1500))
    run.end("FINISHED")
    return run


def public(uri: str, runs: Sequence[RunFolder], values: int) -> Recording:
    """As a user writes it: create, log, end; so many values a call."""
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("x")
    assert experiment is not None  # noqa: S101
    return lambda: [log(client, experiment.experiment_id, read_update(run), values) for run in runs]


def log(client: MlflowClient, experiment: str, run: RunUpdate, values: int) -> None:
    """RunUpdate a run."""
    run_id = client.create_run(experiment, run.start, run.tags, run.name).info.run_id
    metrics = [Metric(*value) for value in run.values]
    client.log_batch(run_id, params=[Param(*pair) for pair in run.params.items()])
    for first in range(0, len(metrics), values):
        client.log_batch(run_id, metrics=metrics[first : first + values])
    client.log_artifacts(run_id, str(run.folder.artifacts))
    client.set_terminated(run_id, "FINISHED", run.end)


def ours(uri: str, runs: Sequence[RunFolder], bulk: bool) -> Recording:
    """The MLflow writer."""
    writer = MlflowWriter(uri, "x", bulk=bulk)
    writer.connect()
    for run in runs:
        writer.start(run)
        writer.finish(run)
    return writer.write


def floor(uri: str, runs: Sequence[RunFolder]) -> Recording:
    """The metric rows only, read before, with sqlite3; 64 runs in a transaction."""
    read = [(update.uid, list(update.values)) for update in map(read_update, runs)]
    connection = sqlite3.connect(uri.removeprefix("sqlite:///"), isolation_level=None)
    return lambda: [insert(connection, read[i : i + 64]) for i in range(0, len(read), 64)]


def insert(connection: sqlite3.Connection, runs: Sequence[tuple[str, list[Value]]]) -> None:
    """One transaction."""
    rows = [(*value, False, uid) for uid, values in runs for value in values]
    connection.execute("BEGIN")
    connection.executemany(INSERT, rows)
    connection.execute("COMMIT")


WAYS: dict[str, Callable[[str, Sequence[RunFolder]], Recording]] = {
    "public API, a call per epoch": partial(public, values=len(METRICS)),
    "public API, a call per run": partial(public, values=1000),
    "writer, public calls": partial(ours, bulk=False),
    "writer, bulk": partial(ours, bulk=True),
    "sqlite3, metric rows only": floor,
}


def measured(recording: Recording) -> tuple[float, float]:
    """CPU seconds of this process, and seconds."""
    gc.collect()
    gc.freeze()
    cpu, clock = time.process_time(), time.perf_counter()
    recording()
    return time.process_time() - cpu, time.perf_counter() - clock


def costs(uri: str | None, way: str, number: int, epochs: int) -> tuple[float, float]:
    """Milliseconds a run of one way, in a folder and database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        store = uri or f"sqlite:///{folder}/mlflow.db"
        os.chdir(folder)  # where MLflow puts its artifacts
        open_experiment(store, "x")
        sweep = RunFolder(Path(folder, "sweep")).begin(RunInfo("sweep"))
        random = Random(0)  # noqa: S311
        runs = [make(Path(folder, f"{i}"), epochs, sweep, random) for i in range(number)]
        cpu, clock = measured(WAYS[way](store, runs))
    return 1e3 * cpu / number, 1e3 * clock / number


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=320)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--uri", help="of a PostgreSQL database; SQLite unless given")
    given = parser.parse_args()
    found = {}
    for way in WAYS:
        if given.uri and way.startswith("sqlite3"):
            continue
        few = max(1, given.runs // 16) if "public" in way else given.runs  # they take long
        found[way] = costs(given.uri, way, few, given.epochs)
    least = list(found.values())[-1]
    print(f"{'ms a run':<30} {'CPU':>8} {'clock':>8}   CPU / last")
    for way, (cpu, clock) in found.items():
        print(f"{way:<30} {cpu:>8.2f} {clock:>8.2f} {cpu / least[0]:>8.1f}")


if __name__ == "__main__":
    main()
