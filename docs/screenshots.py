"""Makes the pictures of the README: `make screenshots`.

A sweep is run in an empty folder, its last screen is kept as the terminal had it, and plain
`mlflow ui` is looked at there with a browser. Nothing is drawn by hand. Needs Chromium.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import Any

from rich.console import Console
from rich.text import Text

from lrlab.tracking.ui.ui_pages import view_link
from tests.looking import browser, mlflow_ui

IMAGES = Path(__file__).parent / "images"
# Noisy enough, and short enough, that the schedule matters.
SWEEP = [
    *("-m", "scheduler=none,step,cosine,plateau", "hydra.sweeper.n_trials=30"),
    *(
        "hydra.sweeper.study_name=mine",
        "task.batch_size=10",
        "epochs=3",
        "task.n=500",
        "task.noise=1.0",
    ),
]
SIZE = (1280, 760)  # readable at 800 pixels too


def main() -> None:
    """Make all of them."""
    IMAGES.mkdir(exist_ok=True)
    env = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    with TemporaryDirectory() as name:
        folder = Path(name)
        screen = _sweep(folder, env)
        plots = folder / "mlruns/studies/mine/artifacts/plots"
        shutil.copy(plots / "ranking.png", IMAGES / "ranking.png")
        with mlflow_ui(folder, env) as address, browser(*SIZE) as page:
            _terminal(page, screen)
            _look(page, address)


def _sweep(folder: Path, env: Mapping[str, str]) -> str:
    """Run the sweep; what it printed from its answer on."""
    done = subprocess.run(  # noqa: S603 (this very Python and package)
        [sys.executable, "-m", "sweeps", *SWEEP],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    before, answer, after = done.stdout.partition("\nuse ")
    return f"{answer}{after}".lstrip() or before


def _look(page: Any, base: str) -> None:
    page.goto(view_link(base, "1", "sweeps"))
    sweep = page.get_by_role("gridcell").filter(
        has=page.get_by_role("link", name="mine", exact=True)
    )
    sweep.get_by_role("button").first.click()
    page.get_by_role("link", name="finalist").first.wait_for()
    _shoot(page, "runs")
    page.get_by_role("link", name="mine", exact=True).click()
    page.get_by_text("Show more").click()
    page.get_by_role("heading", name="Use it").wait_for()
    _shoot(page, "verdict")
    page.get_by_role("tab", name="Model metrics").click()
    page.get_by_placeholder("Search metric charts").fill("best_in_tuning")
    page.get_by_text("mine (best_in_tuning)").wait_for()
    page.locator("path.js-line").first.wait_for(state="attached")
    _shoot(page, "history")
    page.goto(view_link(base, "1", "finalists", charts=True))
    page.locator("path.js-line").nth(3).wait_for(state="attached")
    _shoot(page, "curves")


def _shoot(page: Any, name: str) -> None:
    page.wait_for_timeout(1500)  # what moves has come to rest
    page.screenshot(path=IMAGES / f"{name}.png")


def _terminal(page: Any, screen: str) -> None:
    """The very characters that were printed, in a terminal's frame."""
    typed = fill("$ python -m sweeps " + " ".join(SWEEP), 96).replace("\n", " \\\n    ")
    width = max(map(len, screen.splitlines()))
    console = Console(record=True, width=width, file=StringIO())
    console.print(Text(f"{typed}\n\n{screen}"))
    page.set_content(console.export_svg(title="sweeps"))
    page.locator("svg.rich-terminal").screenshot(path=IMAGES / "terminal.png")


if __name__ == "__main__":
    main()
