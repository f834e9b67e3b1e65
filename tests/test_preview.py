"""`python -m sweeps.preview` draws what a training would follow."""

from pathlib import Path

import pytest

from sweeps import preview


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
