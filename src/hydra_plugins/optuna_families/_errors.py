"""The exception of a sweep that began and did not come to its end."""

from __future__ import annotations

from hydra.errors import CompactHydraException


class SweepFailed(CompactHydraException):
    """Too large a share of the trials failed, or the study cannot be read or written any more."""
