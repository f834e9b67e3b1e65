"""Errors of the user are one line in any Hydra app."""

from pathlib import Path
from typing import Any

import pytest
from hydra.errors import CompactHydraException

REFUSED = {
    "a setting": ("hydra.sweeper.n_trials=0", "hydra.sweeper.n_trials must be a whole number"),
    "a sampler": ("hydra/sweeper/sampler=motpe", "the 'motpe' sampler was removed"),
    "a key": ("optimizer.lrr=interval(0, 1)", "did you mean optimizer.lr"),
    "a range": ("optimizer.lr=interval(1, 0)", "impossible range"),
    "a choice": ("scheduler=cosinus,step", "did you mean cosine"),
    "an address": ("hydra.sweeper.storage=optuna.db", "hydra.sweeper.storage=.?optuna.db"),
    "a folder": ("hydra.sweep.dir=app.py/in", "app.py"),
    "an interpolation": ("+optimizer.search.momentum='interval(0, ${nope})'", "'nope' not found"),
    "failures": ("hydra.sweeper.n_trials=1", "1 of 1 trials failed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_error_is_one_of_hydra_s_compact_exceptions(folder: Path, sweep: Any, case: str) -> None:
    line, reason = REFUSED[case]
    with pytest.raises(CompactHydraException, match=reason) as caught:
        sweep(lambda cfg: None, "scheduler=none", line)
    assert len(str(caught.value).splitlines()) == 1


def test_a_refused_command_shows_no_traceback(folder: Path, run: Any) -> None:
    done = run("hydra.sweeper.n_trials=0")
    assert done.returncode == 1
    assert done.stderr.startswith("hydra.sweeper.n_trials must be a whole number of at least 1")
    assert "Traceback" not in done.stderr
