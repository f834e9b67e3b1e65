"""Curves that start with a linear warm-up."""

import math


def warmup_cosine(step: int, *, total: int, warmup: int, end_factor: float = 0.0) -> float:
    """A linear warm-up, then half a cosine to `end_factor` at `total`.

    Args:
        step: steps taken.
        total: steps of the whole curve.
        warmup: steps below the peak, 0 <= warmup < total; the factor is 1 at `step == warmup`.
        end_factor: factor from `total` on, >= 0.

    Sources: Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983; warm-up: Goyal et al.
    2017, https://arxiv.org/abs/1706.02677

    >>> [round(warmup_cosine(t, total=10, warmup=2), 3) for t in (0, 2, 6, 10, 99)]
    [0.333, 1.0, 0.5, 0.0, 0.0]
    """
    _check_warmup(warmup, total)
    cosine = (1 + math.cos(math.pi * _progress(step, warmup, total))) / 2
    return _ramp(step, warmup) * _between(1.0, end_factor, 1 - cosine)


def warmup_linear(step: int, *, total: int, warmup: int, end_factor: float = 0.0) -> float:
    """A linear warm-up, then linear to `end_factor` at `total`.

    Args:
        step: steps taken.
        total: steps of the whole curve.
        warmup: steps below the peak, 0 <= warmup < total; the factor is 1 at `step == warmup`.
        end_factor: factor from `total` on, >= 0.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805

    >>> [round(warmup_linear(t, total=10, warmup=2), 3) for t in (0, 2, 6, 10, 99)]
    [0.333, 1.0, 0.5, 0.0, 0.0]
    """
    _check_warmup(warmup, total)
    return _ramp(step, warmup) * _between(1.0, end_factor, _progress(step, warmup, total))


def wsd(step: int, *, total: int, warmup: int, decay: int, end_factor: float = 0.0) -> float:
    """Warm-up, stable, decay: a trapezoid that ends linearly at `end_factor`.

    Args:
        step: steps taken.
        total: steps of the whole curve.
        warmup: steps below the plateau, >= 0.
        decay: steps of the final decay, >= 1; `warmup + decay <= total`.
        end_factor: factor from `total` on, >= 0.

    Sources: Hu et al. 2024, https://arxiv.org/abs/2404.06395; Hägele et al. 2024,
    https://arxiv.org/abs/2405.18392

    >>> [wsd(t, total=10, warmup=1, decay=4) for t in (0, 1, 6, 8, 10)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    _check_warmup(warmup, total)
    if not (decay >= 1 and warmup + decay <= total):
        raise ValueError(
            f"decay must be at least 1 and warmup + decay at most total, "
            f"got decay={decay} warmup={warmup} total={total}"
        )
    return _ramp(step, warmup) * _between(1.0, end_factor, _progress(step, total - decay, total))


def inverse_sqrt(step: int, *, warmup: int) -> float:
    """A linear warm-up, then `sqrt((warmup + 1) / (step + 1))`, without end.

    Args:
        step: steps taken.
        warmup: steps below the peak, >= 0; the factor is 1 at `step == warmup`.

    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762

    >>> [inverse_sqrt(t, warmup=1) for t in (0, 1, 7)]
    [0.5, 1.0, 0.5]
    """
    _check_warmup(warmup)
    return min(_ramp(step, warmup), math.sqrt((warmup + 1) / (step + 1)))


def _ramp(step: int, warmup: int) -> float:
    return min(1.0, (step + 1) / (warmup + 1))


def _progress(step: int, start: int, stop: int) -> float:
    return min(1.0, max(0.0, (step - start) / (stop - start)))


def _between(first: float, last: float, share: float) -> float:
    return first + (last - first) * share


def _check_warmup(warmup: int, total: int | None = None) -> None:
    if not warmup >= 0:
        raise ValueError(f"warmup must be at least 0, got warmup={warmup}")
    if total is not None and not warmup < total:
        raise ValueError(f"warmup must be shorter than total, got warmup={warmup} total={total}")
