"""Hook of mkdocs: the pages of the reference, made from the config files and the commands."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from sweeps.listing.catalogue import GROUPS, Option, groups  # noqa: E402 (after its path)

COMMANDS = (
    "sweeps",
    *(f"sweeps.{n}" for n in ("list", "preview", "ui", "report", "export", "sync")),
)
THEORY = ("GaussianProblem", "expected_excess", "best_lrs", "times_optimum", "tuned_convex_bound")
PYTHON = (
    *("Task", "LinearRegression", "Schedule", "train", "train_batch", "Epoch", "simulate"),
    "tasks.StreamingRegression",
    *(f"theory.{name}" for name in THEORY),
)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that no one writes."""
    pages = {
        "reference/commands.md": _commands(),
        "reference/schedulers.md": _schedulers(),
        "reference/choices.md": _choices(),
        "reference/sweeper.md": (ROOT / "src/optuna_families/README.md").read_text("utf-8"),
        "reference/python.md": _python(),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links to files outside of the site become their names."""
    return re.sub(
        r"\[([^\]]+)\]\((?:\.\./)+(?:src|conf|examples|sweeps|benchmarks)[^)]*\)", r"\1", markdown
    )


def _commands() -> str:
    parts = ["# Commands\n"]
    for name in COMMANDS:
        done = subprocess.run(  # noqa: S603 (our own commands)
            [sys.executable, "-m", name, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout if done.returncode == 0 else _docstring(name)
        parts.append(f"## python -m {name}\n\n```text\n{text.strip()}\n```\n")
    return "\n".join(parts)


def _docstring(name: str) -> str:
    """The head of a command's file, where its libraries are not installed."""
    text = (ROOT / f"{name.replace('.', '/')}.py").read_text("utf-8")
    return text.split('"""')[1]


def _schedulers() -> str:
    intro = (
        "# Schedulers\n\nEach is one file in `conf/scheduler`; its arguments are set as "
        "`scheduler.NAME=VALUE`. The [tutorial](../tutorial/schedulers.md) says when to use which."
        "\n\n"
        "![all schedules](../images/schedules.png)\n"
    )
    return "\n".join([intro, *map(_page, groups()["scheduler"])])


def _choices() -> str:
    parts = ["# Other choices\n"]
    for group in GROUPS[1:]:
        for option in groups().get(group, []):
            parts.append(_page(option))
    return "\n".join(parts)


def _page(option: Option) -> str:
    link = re.search(r"https://\S+", option.content)
    source = f" [Source]({link[0].rstrip('.')})." if link else ""
    picture = Path(__file__).parent / "images" / "curves" / f"{option.name}.png"
    is_scheduler = option.group == "scheduler" and picture.exists()
    curve = f"![{option.name}](../images/curves/{option.name}.png){{ width=520 }}\n" * is_scheduler
    rows = list(_rows(option.content))
    table = ["| key | default | what it is |", "|---|---|---|", *rows, ""] if rows else []
    heading = option.name if option.group == "scheduler" else f"{option.group}={option.name}"
    head = f"## {heading}\n\n{option.text}{source}\n\n{curve}"
    return "\n".join([head, *table, *_conditions(option.content)])


def _rows(content: str) -> Iterator[str]:
    """Arguments with the comment beside them."""
    for line in re.split(r"^(?:search|require|expect):", content, flags=re.MULTILINE)[
        0
    ].splitlines():
        found = re.match(r"([A-Za-z]\w*): (.*?)(?:\s+# (.*))?$", line)
        if found and found[1] not in ("defaults",):
            cells = (f"`{found[1]}`", f"`{found[2].strip()}`", found[3] or "")
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _conditions(content: str) -> Iterator[str]:
    words = {
        "search": "A sweep searches",
        "require": "Refused unless",
        "expect": "Warned of unless",
    }
    for name, word in words.items():
        found = re.search(rf"^{name}:\n((?:  .*\n?)+)", content, re.MULTILINE)
        if found:
            lines = [
                line.strip() for line in found[1].splitlines() if not line.strip().startswith("#")
            ]
            yield f"{word}:\n\n" + "\n".join(f"- `{line}`" for line in lines if line) + "\n"


def _python() -> str:
    intro = "# Python\n\nWithout configs, in a notebook or a program of your own.\n"
    return "\n\n".join([intro, *(f"::: lrlab.{name}" for name in PYTHON)]) + "\n"
