"""`python -m sweeps.preview` draws what a training would follow."""

from pathlib import Path

import pytest

from sweeps import preview
from sweeps.previews import lr_curves, panel_chart
from sweeps.reports.plots.charts import Panels


def test_every_schedule_is_drawn_without_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "all.png"
    preview.main(["scheduler=glob(*)", "epochs=20", "--out", str(picture)])
    out = capsys.readouterr().out
    conf = Path(__file__).parent.parent / "conf" / "scheduler"
    assert {line.split()[0] for line in out.splitlines()[:-1]} == {p.stem for p in conf.glob("*")}
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_values_are_those_of_the_schedule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["scheduler=step", "scheduler.gamma=0.5,0.1", "scheduler.step_size=10", "epochs=20"]
    preview.main([*words, "--out", str(tmp_path / "step.png")])
    half, tenth, _ = capsys.readouterr().out.splitlines()
    assert "lr 0.25 at first, 0.25 at most, 0.0625 at the end" in half
    assert "lr 0.25 at first, 0.25 at most, 0.0025 at the end" in tenth


def test_what_cannot_work_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        preview.main(["scheduler=step", "scheduler.step_size=0"])
    assert stopped.value.code == 2
    assert "scheduler.step_size=0 is not allowed" in capsys.readouterr().err


def test_a_curve_that_is_too_long_to_be_drawn_whole_says_how_far_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lr_curves, "LONGEST", 50)
    preview.main(["scheduler=linear", "epochs=200", "--out", str(tmp_path / "long.png")])
    first, _ = capsys.readouterr().out.splitlines()
    assert first.endswith("lr 0.25 at first, 0.25 at most, 0.1875 at step 50 of 200")


def test_the_picture_s_folder_is_made(tmp_path: Path) -> None:
    picture = tmp_path / "new" / "folder" / "x.png"
    preview.main(["scheduler=step", "epochs=3", "--out", str(picture)])
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("out", ["file/x.png", "x.nonsense"])
def test_a_picture_that_cannot_be_kept_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as stopped:
        preview.main(["scheduler=step", "epochs=3", "--out", str(tmp_path / out)])
    said = capsys.readouterr().err
    assert (stopped.value.code, said.count("\n")) == (1, 1)
    assert said.startswith(f"error: --out {tmp_path / out}: ")


@pytest.mark.parametrize("name", ["a{b}", "it's", "[x], y", "a\\b", 'q"q', "ö $x"])
def test_one_s_own_files_may_lie_in_a_folder_of_any_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    own = tmp_path / name / "scheduler"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("_target_: lrlab.curves.rex\ntotal: 9\nstep_every: epoch\n")
    preview.main(
        ["--config-dir", str(own.parent), "scheduler=mine", "--out", str(tmp_path / "x.png")]
    )
    assert capsys.readouterr().out.split()[:3] == ["mine", "lr", "0.25"]


def test_an_odd_curve_draws_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["scheduler=cosine", "scheduler.eta_min=0.5", "epochs=3"]
    preview.main([*words, "--out", str(tmp_path / "x.png")])
    said = capsys.readouterr().err
    assert "cosine eta_min=0.5 epochs=3: scheduler.eta_min=0.5: the lr rises" in said


def test_a_schedule_that_watches_the_loss_is_drawn_as_one(tmp_path: Path) -> None:
    found = dict(lr_curves.curves(["scheduler=plateau,cosine", "epochs=30"]))
    chart = panel_chart.chart_of(found)
    assert isinstance(chart, Panels)
    [panel] = chart.groups["adaptive"]
    never, improves = panel.lines
    assert (improves.y[-1], never.y[-1]) == (0.25, pytest.approx(0.0025))
    assert list(chart.groups) == ["decay", "adaptive"]


def test_the_space_of_a_search_reaches_around_the_curve(tmp_path: Path) -> None:
    [(_, curve)] = lr_curves.curves(["scheduler=exponential", "epochs=10"], space=5)
    assert len(curve.space) == 5
    ends = [lrs[-1] for lrs in curve.space]
    assert all(0.25 * 0.8**10 <= end <= 0.25 for end in ends)
    assert len(set(ends)) == 5
