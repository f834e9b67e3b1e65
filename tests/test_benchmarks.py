"""The benchmarks run; what they compare is the same work. Their figures are nobody's test."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def contenders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS / "contenders"))


def test_the_floor_trains_each_member_as_plain_torch_does(contenders: None) -> None:
    import floor
    import regression
    import torch
    from torch import nn

    torch.manual_seed(0)
    params = floor.draw(3)
    models = [nn.Linear(5, 1) for _ in range(3)]
    rows = [torch.cat([m.weight.detach().flatten(), m.bias.detach()]) for m in models]
    found = floor.train(torch.stack(rows), floor.curves(**params, epochs=100))
    for member, model in enumerate(models):
        own = {name: values[member].item() for name, values in params.items()}
        expected = torch.tensor([list(m.values()) for m in regression.train(model, **own)])
        lr, loss, excess, *weights = found[member].T
        after = torch.stack([lr, *weights], dim=1)[1:]
        torch.testing.assert_close(after, expected[:, [0, 2, 3, 4, 5, 6, 7]], rtol=1e-3, atol=1e-5)
        # A plain loop knows the loss of the weights that an epoch begins with.
        torch.testing.assert_close(loss[:-1], expected[:, 1], rtol=1e-3, atol=1e-5)
        assert 0.035 < (loss - excess).median() < 0.045


@pytest.mark.parametrize("how", [(), ("--second-process",)])
def test_mlflow_reads_the_floors_rows_as_its_own(how, tmp_path: Path, command_env) -> None:
    import mlflow

    command = [sys.executable, str(BENCHMARKS / "contenders/floor.py"), "5", "--batch", "3", *how]
    subprocess.run(command, cwd=tmp_path, env=command_env, check=True, capture_output=True)
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    runs = client.search_runs(client.search_experiments()[0].experiment_id)
    assert [run.info.status for run in runs] == ["FINISHED"] * 5
    assert runs[0].data.params.keys() > {"lr", "T_max", "eta_min"}
    history = client.get_metric_history(runs[0].info.run_id, "loss")
    assert [point.step for point in history] == list(range(101))
    assert runs[0].data.metrics["loss"] == history[-1].value


def test_the_race_gives_a_table_a_plot_and_the_raw_numbers(tmp_path: Path, command_env) -> None:
    where = ["--folder", str(tmp_path / "runs"), "--results", str(tmp_path / "results")]
    command = [sys.executable, str(BENCHMARKS / "throughput.py"), "--quick", *where]
    done = subprocess.run(
        [*command, "--only", "plain", "floor"],
        env=command_env,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Optuna, MLflow" in done.stdout
    assert (tmp_path / "results/rates.png").stat().st_size > 0
    found = json.loads((tmp_path / "results/rates.json").read_text())
    assert {key: one["values_per_trial"] for key, one in found["rates"][0].items()} == {
        "plain": 800.0,
        "floor": 909.0,
    }
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_database_that_lacks_runs_is_no_measurement(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from measuring.rates import values_per_trial

    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute("CREATE TABLE runs (run_uuid, status)")
        database.execute("CREATE TABLE metrics (run_uuid)")
        database.execute("INSERT INTO metrics VALUES ('a'), ('a'), ('b')")
        database.execute("INSERT INTO runs VALUES ('a', 'FINISHED'), ('b', 'RUNNING')")
    database.close()
    with pytest.raises(SystemExit, match="1 of 2 runs"):
        values_per_trial(tmp_path / "mlflow.db", at_least=2)
