"""Exceptions that Hydra shows in one line; any other gets a traceback of many frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hydra.errors import CompactHydraException, HydraException
from omegaconf.errors import OmegaConfBaseException


class SweepFailed(CompactHydraException):
    """Too many trials failed, or the study can no longer be read or written."""


@contextmanager
def compact() -> Iterator[None]:
    """Turn errors that the user can correct into Hydra's compact exception.

    ``HYDRA_FULL_ERROR=1`` still shows the traceback.

    Raises:
        CompactHydraException: for a wrong setting or interpolation, or a file that cannot be used.
    """
    try:
        yield
    except CompactHydraException:
        raise
    except (HydraException, OmegaConfBaseException, OSError) as error:
        text = _text(error)
        if text is None:
            raise
        raise CompactHydraException(text).with_traceback(error.__traceback__) from None


def _text(error: Exception) -> str | None:
    """Return one line; None if the error concerns neither a setting nor a file."""
    if isinstance(error, OmegaConfBaseException):
        return f"{error.full_key or 'hydra.sweeper'}: {str(error).splitlines()[0]}"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename is not None else None
    return str(error)
