"""Texts that others wrote are shown as text: on a terminal, in Markdown, in HTML."""

import logging
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from crashsafe.safe_console import SafeConsole
from crashsafe.safe_logging import make_logging_safe
from sweeps.listing.catalogue import groups
from sweeps.listing.completion import candidates
from sweeps.reports import Recommended
from sweeps.reports.output import html_page, markdown, terminal
from tests.made_up import review

TERMINAL = {
    "title": "a\x1b]0;owned\x07",
    "colour": "\x1b[31mred",
    "link": "\x1b]8;;http://elsewhere\x1b\\here\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07",
    "cleared": "\x1b[2J\x1b[H",
    "one byte": "a\x9b31m",
    "overwritten": "failed\rdone  ",
    "backspaces": "failed\b\b\b\b\b\bdone",
    "turned around": "a\u202eb",
}


@pytest.mark.parametrize("text", TERMINAL.values(), ids=TERMINAL)
@pytest.mark.parametrize("kind", [str, Text, "table"])
def test_no_text_controls_the_terminal(text: str, kind: object) -> None:
    file = StringIO()
    console = SafeConsole(file=file, width=200, markup=False, highlight=False)
    table = Table(text)
    table.add_row(text)
    console.print(table if kind == "table" else kind(text))  # type: ignore[operator]
    assert not {*file.getvalue()} & {*"\x1b\x07\x9b\r\b\u202e"}


def test_the_console_s_own_colours_are_left() -> None:
    file = StringIO()
    SafeConsole(file=file, force_terminal=True, color_system="standard").print("a", style="red")
    assert file.getvalue() == "\x1b[31ma\x1b[0m\n"


HTML = "<img src=x onerror=alert(1)>[a](javascript:alert(1))</title></pre><script>\x1b[2J"


class Tags(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.add(tag + ("!" if "onerror" in str(attrs) else ""))


def made_up(name: str):
    """A review whose sweep, families, reasons, command and program are named like this."""
    found = review((name, "step"))
    assert found.verdict is not None
    code = f"import torch\n# {name}\n```\n{name}"
    use = Recommended(name, f"python -m sweeps {name}", code)
    return replace(found, sweep=name, verdict=replace(found.verdict, recommended=use))


def test_markdown_has_no_html_and_no_links_of_a_name() -> None:
    text = markdown.text(made_up(HTML))
    outside = "\n".join(text.split("````")[::2])  # blocks of code have longer fences than theirs
    before = outside.partition("```sh")[0]
    assert "<" not in before
    assert "](" not in before.replace("\\[a](", "")
    assert "\x1b" not in text


def test_a_page_has_no_tags_of_a_name() -> None:
    tags = Tags()
    tags.feed(html_page.page(made_up(HTML), {}))
    assert not {"script", "img!"} & tags.found


def test_a_name_cannot_colour_a_report() -> None:
    assert "[red]" in terminal.text(made_up("[red]x[/red]"))


@pytest.fixture
def safe_logging() -> Iterator[None]:
    before = logging.getLogRecordFactory(), warnings.formatwarning
    make_logging_safe()
    yield
    logging.setLogRecordFactory(before[0])
    warnings.formatwarning = before[1]


FOREIGN = "\x1b]0;owned\x07\x1b[2J\u202epg://me:secret@db"


def test_no_log_line_controls_the_terminal_or_shows_a_password(safe_logging: None) -> None:
    logger, file = logging.Logger("theirs"), StringIO()
    logger.addHandler(logging.StreamHandler(file))
    logger.warning(FOREIGN)
    logger.warning("%s", FOREIGN)
    try:
        int(FOREIGN)
    except ValueError:
        logger.exception("failed")
    file.write(warnings.formatwarning(FOREIGN, UserWarning, "a.py", 1))
    assert not {*file.getvalue()} & {*"\x1b\x07\u202e"}
    assert file.getvalue().count("pg://me:***@db") == 4
    assert "secret" not in file.getvalue()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_tab_key_runs_nothing_that_a_file_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bash evaluates its list of candidates."""
    (tmp_path / "foreign/scheduler").mkdir(parents=True)
    (tmp_path / "mlruns/studies/$(touch owned)").mkdir(parents=True)
    for name in ("$(touch owned)", "`touch owned`", "a;touch owned", "mine"):
        (tmp_path / "foreign/scheduler" / f"{name}.yaml").touch()
    monkeypatch.chdir(tmp_path)
    found = candidates(["sweeps", "--config-dir", "foreign", "scheduler="])
    found += candidates(["sweeps.report", ""])
    assert "scheduler=mine" in found
    listed = subprocess.run(
        ["bash", "-c", 'compgen -W "$0" -- ""', "\n".join(found)], capture_output=True, check=True
    )
    assert listed.stdout.decode().split() == found
    assert not (tmp_path / "owned").exists()


def test_a_list_of_files_waits_for_no_pipe_and_reads_no_file_without_end(tmp_path: Path) -> None:
    folder = tmp_path / "scheduler"
    folder.mkdir()
    os.mkfifo(folder / "pipe.yaml")
    (folder / "zeros.yaml").symlink_to("/dev/zero")
    (folder / "bytes.yaml").write_bytes(b"\xff\xfe# no UTF-8")
    (folder / "long.yaml").write_text("# mine\n" + "a: b\n" * 1_000_000)
    found = {option.name: option for option in groups(tmp_path)["scheduler"]}
    assert {"pipe", "zeros"}.isdisjoint(found)
    assert (found["long"].text, len(found["long"].content)) == ("mine", 100_000)
    assert "bytes" in found
