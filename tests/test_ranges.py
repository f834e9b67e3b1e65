"""The search spaces in the files are fair: wide enough for each family, on every preset."""

from typing import Any

import numpy as np
import pytest

from benchmarks.measuring.random_settings import composed, excesses, random_specs
from sweeps.config.resolvers import conf_dir

PRESETS = sorted(
    path.stem
    for path in (conf_dir() / "experiment").glob("*.yaml")
    if not path.stem.startswith("digits")  # thousands of networks
)
SOME = ("cosine", "exponential", "swa")
WITHIN = 1.2
ROUNDING = 1e-11  # of single precision: excesses below are alike
SEED, SEEDS = 7, 3


def best(preset: str, scheduler: str, number: int, *, wider: bool) -> float:
    cfg = composed(f"experiment={preset}", f"scheduler={scheduler}")
    found = random_specs(cfg, number, np.random.default_rng(1), wider=wider)
    mean = excesses([spec for _, spec in found], SEED, SEEDS).mean(axis=1)
    return max(ROUNDING, float(mean[np.isfinite(mean)].min()))


def assert_fair(preset: str, scheduler: str, number: int) -> None:
    own, wide = (best(preset, scheduler, number, wider=wider) for wider in (False, True))
    assert own <= WITHIN * wide


@pytest.mark.parametrize("name", SOME)
def test_a_ten_times_wider_space_has_nothing_better(name: str, compose: Any) -> None:
    assert_fair("streaming_condition", name, 100)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_a_ten_times_wider_space_has_nothing_better_for_any_file(
    preset: str, scheduler: str, compose: Any
) -> None:
    assert_fair(preset, scheduler, 500)


def test_no_random_setting_draws_a_warning(scheduler: str, compose: Any) -> None:
    """Nor is one refused: so no recommended curve rises by accident."""
    cfg = composed("epochs=40", f"scheduler={scheduler}")
    assert len(random_specs(cfg, 25, np.random.default_rng(2), attempts=1)) == 25


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_starts_at_a_rate_that_suits_networks(name: str, compose: Any) -> None:
    assert compose(f"optimizer={name}").optimizer.lr == 0.001
