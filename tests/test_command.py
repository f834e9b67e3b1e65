"""The command as a person uses it: the source text's numbers, the summary, their own files."""

import re
from pathlib import Path

import pytest
from mlflow import MlflowClient

from sweeps.config.resolvers import conf_dir

ROOT = Path(__file__).parent.parent

# The source text's: 100 epochs from lr 0.25; printed by its own runs of torch.
SOURCE_LRS = {
    "none": 0.25,
    "step": 6.640349721896886e-06,
    "cosine": 0.0,
    "exponential": 0.0014801323050834992,
    "plateau": 2.5000000000000012e-08,
}


def table(text: str) -> dict[str, tuple[float, float]]:
    """Name, final lr and loss from the rows of a printed table."""
    rows = re.findall(r"^\W*(\w+)[ |]+([\d.e-]+)[ |]+([\d.]+)", text, flags=re.MULTILINE)
    return {name: (float(lr), float(loss)) for name, lr, loss in rows}


def test_the_source_text_s_table_comes_out_to_the_last_digit(command, tmp_path: Path) -> None:
    done = command("-m", "hydra/sweeper=basic", f"scheduler={','.join(SOURCE_LRS)}")
    assert done.returncode == 0, done.stderr
    printed = table(done.stdout)
    assert {name: lr for name, (lr, _) in printed.items()} == SOURCE_LRS
    losses = {name: loss for name, (_, loss) in printed.items()}
    assert all(0.03 < loss < 0.06 for loss in losses.values())
    assert losses["step"] == max(losses.values())

    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    [experiment] = [e for e in client.search_experiments() if e.name == "linear_regression"]
    for run in client.search_runs([experiment.experiment_id]):
        last = client.get_metric_history(run.info.run_id, "lr")[-1]
        assert (last.step, last.value) == (100, SOURCE_LRS[run.data.tags["scheduler"]])

    for name, numbers in table((ROOT / "docs/guides/first_run.md").read_text()).items():
        assert numbers == pytest.approx(printed[name], rel=1e-3)


@pytest.mark.covered
def test_the_summary_says_what_a_person_wants_to_know(command) -> None:
    done = command("scheduler=cosine")
    lines = dict(line.split(None, 1) for line in done.stdout.splitlines()[:8])
    assert lines["schedule"] == "cosine"
    assert lines["epochs"] == "100"
    assert lines["lr"] == "0.0"
    assert [round(float(w)) for w in lines["weight"].split()] == [0, 2, 4, 6, 8]
    assert abs(float(lines["bias"])) < 0.05
    assert re.match(r"0\.04\d+  \(excess .* over the best reachable\)", lines["loss"])
    assert lines["device"].startswith("cpu (")
    assert re.fullmatch(
        r"mlflow +look at it: python -m sweeps\.ui [0-9a-f]{8}", done.stdout.splitlines()[-1]
    )
    assert done.stderr == ""


def test_the_same_command_gives_the_same_numbers(command) -> None:
    first, second = (
        command("scheduler=rex", "task.batch_size=100", "epochs=7", "tracking=none").stdout
        for _ in range(2)
    )
    assert first.splitlines()[:6] == second.splitlines()[:6]


def test_help_lists_every_scheduler(command) -> None:
    done = command("--help")
    for path in (conf_dir() / "scheduler").glob("*.yaml"):
        assert re.search(rf"\b{path.stem}\b", done.stdout)
    assert "python -m sweeps scheduler=cosine" in done.stdout


def test_a_scheduler_of_one_s_own_is_one_file(command, tmp_path: Path) -> None:
    (tmp_path / "mine" / "scheduler").mkdir(parents=True)
    (tmp_path / "mine" / "scheduler" / "halving.yaml").write_text(
        "# Half as much each time.\n# https://example.org\n"
        "_target_: torch.optim.lr_scheduler.StepLR\nstep_size: 1  # steps\ngamma: 0.5  # factor\n"
    )
    done = command("--config-dir", "mine", "scheduler=halving", "epochs=3", "tracking=none")
    assert "lr        0.03125" in done.stdout
    listed = command("--config-dir", "mine", "--help").stdout
    assert "halving" in listed


MY_TASK = """
import torch
from torch import nn
from lrlab import Task


class Parity(Task):
    def __init__(self, *, bits: int, device: torch.device) -> None:
        self.device, self.bits = device, bits
        self.batches_per_epoch = 2

    def model(self):
        return nn.Sequential(nn.Linear(self.bits, 16), nn.Tanh(), nn.Linear(16, 1))

    def batches(self, generator):
        for _ in range(2):
            x = torch.randint(0, 2, (32, self.bits), generator=generator).float()
            yield x, x.sum(dim=1, keepdim=True) % 2

    def loss(self, model, batch):
        return nn.functional.binary_cross_entropy_with_logits(model(batch[0]), batch[1])

    def evaluate(self, model):
        with torch.no_grad():
            return sum(float(self.loss(model, b)) for b in self.batches(torch.Generator())) / 2
"""


def test_a_task_of_one_s_own_is_a_class_and_a_file(command, tmp_path: Path) -> None:
    (tmp_path / "parity.py").write_text(MY_TASK)
    (tmp_path / "mine" / "task").mkdir(parents=True)
    (tmp_path / "mine" / "task" / "parity.yaml").write_text(
        "_target_: parity.Parity\nbits: 3\nbatches: 2\n"
    )
    done = command(
        "--config-dir",
        "mine",
        "task=parity",
        "scheduler=warmup_cosine",
        "scheduler.step_every=batch",
        "tracking=none",
        SWEEPS_PACKAGES="parity",
    )
    assert done.returncode == 0, done.stderr
    assert "lr        0.0\n" in done.stdout
    assert "excess" not in done.stdout
    refused = command("--config-dir", "mine", "task=parity", "tracking=none")
    assert refused.returncode == 2
    assert "SWEEPS_PACKAGES" in refused.stderr


def test_flags_may_stand_anywhere(command) -> None:
    done = command("epochs=2", "tracking=none", "-m", "hydra/sweeper=basic", "scheduler=none,step")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
