"""Names and numbers as text."""

import math
from collections.abc import Mapping, Sequence

from lrlab.objective import Objective


def family_name(label: str) -> str:
    """A family's name from its label in the study.

    >>> family_name("scheduler=cosine"), family_name("scheduler=cosine,optimizer=adam")
    ('cosine', 'cosine,adam')
    """
    return ",".join(part.rpartition("=")[2] for part in label.split(","))


def parameter(key: str) -> str:
    """A parameter's short name.

    >>> parameter("scheduler.T_max"), parameter("optimizer.lr"), parameter("task.noise")
    ('T_max', 'lr', 'task.noise')
    """
    return key.removeprefix("scheduler.").removeprefix("optimizer.")


def settings(params: Mapping[str, object]) -> str:
    """What was sampled, as one says it; the learning rate comes last.

    >>> settings({"optimizer.lr": 0.12345, "scheduler.T_max": 83})
    'T_max=83 lr=0.123'
    """
    ordered = sorted(params, key=lambda key: key.startswith("optimizer."))
    return " ".join(f"{parameter(key)}={_value(params[key])}" for key in ordered)


def _value(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def number(value: float | None, digits: int = 4) -> str:
    """A few significant digits; what is not finite has diverged.

    >>> number(0.0417448), number(1.2345e-7, 2), number(float("inf")), number(None)
    ('0.04174', '1.2e-07', 'diverged', '')
    """
    if value is None:
        return ""
    return f"{value:.{digits}g}" if math.isfinite(value) else "diverged"


def diverged(lost: int, seeds: int) -> str:
    """What stands in the place of a loss where some seeds diverged; empty where none did.

    >>> diverged(0, 30), diverged(1, 30), diverged(30, 30)
    ('', 'diverged on 1 of 30', 'diverged')
    """
    return "" if not lost else "diverged" if lost == seeds else f"diverged on {lost} of {seeds}"


def with_error(value: float, half: float | None) -> str:
    """A number and half its interval, no digit more than that allows.

    >>> with_error(0.0417448, 0.0000123), with_error(3.14159, 0.2), with_error(2.5, None)
    ('0.041745 ± 0.000012', '3.14 ± 0.20', '2.5')
    >>> with_error(12345.6, 200.0), with_error(0.5, 0.0), with_error(4.1744e-8, 1e-10)
    ('12346 ± 200', '0.5 ± 0', '4.174e-08 ± 1.0e-10')
    """
    if half is None or not math.isfinite(value):
        return number(value, 6)
    size = max(abs(value), half)
    if half == 0 or half < 1e-9 * size:
        return f"{value:.6g} ± {half:.1g}"
    places = 1 - math.floor(math.log10(half))
    if 1e-4 <= size < 1e6:
        shown = max(0, places)
        return f"{value:.{shown}f} ± {half:.{shown}f}"
    digits = max(1, places + math.floor(math.log10(size)))
    return f"{value:.{digits}e} ± {half:.1e}"


def probability(p: float) -> str:
    """A p value.

    >>> probability(0.3217), probability(0.00004), probability(1.0)
    ('0.32', '< 0.001', '1')
    """
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def duration(seconds: float) -> str:
    """A time.

    >>> duration(0.34), duration(75), duration(7300)
    ('0.3 s', '75 s', '2 h 2 min')
    """
    if seconds < 1:
        return f"{seconds:.1f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names as a sentence has them.

    >>> listed(["a"]), listed(["a", "b", "c"]), listed(list("abcdefg"))
    ('a', 'a, b and c', 'a, b, c and 4 others')
    """
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} others"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def extreme(objective: Objective) -> str:
    """What the best has.

    >>> extreme(Objective()), extreme(Objective("accuracy", "maximize"))
    ('lowest loss', 'highest accuracy')
    """
    return f"{'highest' if objective.maximizes else 'lowest'} {objective.name}"
