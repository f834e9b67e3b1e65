"""Why a run ended before its time, as a text that can be stored."""


def reason(error: BaseException) -> str:
    r"""What a run's folder and its tracker are told.

    >>> reason(ValueError("no file \udcff")), reason(KeyError()), reason(KeyboardInterrupt())
    ('no file \\udcff', 'KeyError', 'interrupted')
    """
    if isinstance(error, Exception):
        return readable(str(error)) or type(error).__name__
    return "interrupted" if isinstance(error, KeyboardInterrupt) else "stopped before its end"


def in_a_line(error: Exception) -> str:
    r"""The same for a person who does not see the traceback.

    >>> in_a_line(KeyError("x")), in_a_line(RuntimeError("CUDA error\nfor debugging ..."))
    ("KeyError: 'x'", 'RuntimeError: CUDA error')
    """
    first, *_ = [*readable(str(error)).splitlines(), ""]
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def readable(text: str) -> str:
    """A text in letters only: a file's name, say, may hold bytes that are none."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
