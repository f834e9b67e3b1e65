"""Refusals as Hydra shows them in one line: other exceptions get a traceback of many frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hydra.errors import CompactHydraException, HydraException
from omegaconf.errors import OmegaConfBaseException


@contextmanager
def compact() -> Iterator[None]:
    """Turn what the user can put right into Hydra's compact exception.

    ``HYDRA_FULL_ERROR=1`` still shows where it was raised.

    Raises:
        CompactHydraException: for a refusal, a faulty interpolation, or a file that cannot be used.
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
    """Return one line; None for what is not about a setting or a file."""
    if isinstance(error, OmegaConfBaseException):
        return f"{error.full_key or 'hydra.sweeper'}: {str(error).splitlines()[0]}"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename is not None else None
    return str(error)
