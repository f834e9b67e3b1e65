"""A curve in a few letters."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from sweeps.listing.catalogue import Option

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 16  # letters
STORED = Path(__file__).with_name("curves.json")


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """A letter for each stretch of a curve, its height the mean there; the highest is full.

    >>> sparkline([4, 4, 3, 3, 2, 2, 1, 1, 0, 0], 5), sparkline([1, 1], 2), sparkline([0, 0], 2)
    ('█▆▅▃▁', '██', '▁▁')
    """
    size, top = len(values), max(values, default=0.0)
    letters = []
    for i in range(min(width, size)):
        part = values[i * size // min(width, size) : (i + 1) * size // min(width, size)]
        share = sum(part) / len(part) / top if top > 0 else 0.0
        letters.append(BARS[round(share * (len(BARS) - 1))])
    return "".join(letters)


def stored(options: Sequence[Option]) -> dict[str, str]:
    """The stored sparkline of each option by name; one whose file has changed is left out."""
    known = json.loads(STORED.read_text("utf-8")) if STORED.exists() else {}
    return {o.name: known[_key(o)] for o in options if _key(o) in known}


def store(lines: Sequence[tuple[Option, str]]) -> None:
    """Keep sparklines for `stored`."""
    found = {_key(option): line for option, line in lines}
    STORED.write_text(json.dumps(found, indent=0, ensure_ascii=False) + "\n", "utf-8")


def _key(option: Option) -> str:
    shape = re.split("^search:", option.content, maxsplit=1, flags=re.MULTILINE)[0]
    shape = re.sub(r"\s*#.*", "", shape)  # another comment is no other curve
    digest = hashlib.sha256(shape.encode()).hexdigest()[:12]
    return f"{option.name} {digest}"
