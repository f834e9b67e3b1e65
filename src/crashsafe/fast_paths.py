"""One switch for everything that exists for speed only.

Each fast path stands beside a plain one with the same results. ``SWEEPS_PLAIN=1`` turns all fast
paths off; ``SWEEPS_PLAIN=study_sql,mlflow_sql`` turns off those named.
`benchmarks/throughput.py --only twins` measures what each is worth.
"""

from __future__ import annotations

import logging
import os
from functools import cache

VARIABLE = "SWEEPS_PLAIN"
FAST_PATHS = (
    "tpe",
    "study_sql",
    "mlflow_sql",
    "filled_configs",
    "compiler",
)


def is_fast(path: str) -> bool:
    """Whether a fast path may be taken."""
    words = set(os.environ.get(VARIABLE, "").split(",")) - {"", "0"}
    return path not in words if words <= set(FAST_PATHS) else False


@cache
def note_closed(path: str, reason: str) -> None:
    """Log, once per process, that a library's version closes a fast path."""
    logging.getLogger(__name__).info("the fast path %s is closed: %s", path, reason)
