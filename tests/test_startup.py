"""torch's compiler stays unimported in plain training, and whole once it is wanted."""

import subprocess
import sys

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


@pytest.mark.covered
@pytest.mark.parametrize("then", ["", WHOLE + COMPILE, COMPILE + WHOLE])
def test_the_compiler_is_imported_only_where_it_is_wanted(command_env, then: str) -> None:
    command = [sys.executable, "-c", TRAIN + then]
    done = subprocess.run(command, env=command_env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
