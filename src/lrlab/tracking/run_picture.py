"""The picture of a run, drawn from its history."""

from lrlab.tracking.run_columns import AT_ONCE, read_values
from lrlab.tracking.run_folder import RunFolder
from lrlab.tracking.run_plots import plot_run


def draw(run: RunFolder) -> None:
    """Add `curve.png` to a run's files where it has losses; a long history is thinned out."""
    every = 1 + run.history.stat().st_size // AT_ONCE if run.history.exists() else 1
    rows: dict[int, dict[str, float]] = {}
    position, more = 0, True
    while more:
        values, position, more = read_values(run.history, position)
        for name, value, _, step in values:
            if step % every == 0:
                rows.setdefault(step, {"epoch": step})[name] = value
    if any("loss" in row for row in rows.values()):
        plot_run(list(rows.values()), run.info().name, run.artifacts / "curve.png")
