"""What a command imports, and when: no compiler of torch, nothing slow before its first output."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("fast")

TRAIN = """
import sys
from sweeps.runs.startup import postpone_compiler
postpone_compiler()
import torch
model = torch.nn.Linear(3, 1)
adam = torch.optim.Adam(model.parameters(), lr=0.1)
steps = torch.optim.lr_scheduler.StepLR(adam, 1)
for _ in range(2):
    adam.zero_grad(); model(torch.ones(2, 3)).sum().backward(); adam.step(); steps.step()
adam.load_state_dict(adam.state_dict())
assert "torch._dynamo.eval_frame" not in sys.modules, "torch's habits have changed"
"""
WHOLE = """
import torch._dynamo, torch._dynamo.config as config
assert config is torch._dynamo.config is sys.modules["torch._dynamo.config"]
assert type(torch._dynamo).__name__ == "module"
"""
COMPILE = """
compiled = torch.compile(model, backend="eager")
assert torch.equal(compiled(torch.ones(2, 3)), model(torch.ones(2, 3)))
"""


@pytest.mark.cold
@pytest.mark.parametrize("then", [WHOLE + COMPILE, COMPILE + WHOLE])
def test_the_compiler_is_imported_only_where_it_is_wanted(command_env, then: str) -> None:
    command = [sys.executable, "-c", TRAIN + then]
    done = subprocess.run(command, env=command_env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


FIRST = """
import os, runpy, sys

class Terminal:
    encoding = "utf-8"
    def isatty(self): return True
    def write(self, text):
        print(text.strip(), *sorted(sys.modules), sep="\\n", file=sys.__stdout__, flush=True)
        os._exit(0)

sys.stdout = sys.stderr = Terminal()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
SLOW = {"torch", "mlflow", "optuna", "hydra", "omegaconf", "matplotlib", "sqlalchemy", "rich"}


@pytest.mark.parametrize(
    "command",
    [
        *("sweeps scheduler=cosine", "sweeps -m scheduler=cosine,step", "sweeps --version"),
        *("sweeps.preview scheduler=cosine", "sweeps.report mine", "sweeps.export mine"),
        *("sweeps.sync", "sweeps.ui", "sweeps.ui --help", "sweeps.list"),
    ],
)
def test_a_terminal_shows_something_before_anything_slow_is_imported(
    command_env, command: str, tmp_path: Path
) -> None:
    (tmp_path / "mlruns" / "jobs").mkdir(parents=True)
    (tmp_path / "mlruns" / "studies").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FIRST, *command.split()],
        cwd=tmp_path,
        env=command_env,
        capture_output=True,
        text=True,
        check=True,
    )
    text, *loaded = done.stdout.splitlines()
    assert text
    allowed = {"rich"} if command == "sweeps.list" else set()
    assert SLOW.intersection(loaded) - allowed == set()


def test_the_command_line_imports_no_library_that_a_run_needs_later(command_env) -> None:
    """The tracker's process starts first: both import side by side."""
    code = "import sys, sweeps.cli; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=command_env, capture_output=True, text=True, check=True)
    late = {"torch", "mlflow", "optuna", "matplotlib", "sqlalchemy", "numpy", "scipy"}
    assert late.intersection(done.stdout.split()) == set()
