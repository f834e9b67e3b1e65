"""A recommended schedule whose learning rate rises is said to do so wherever it is shown."""

import json
import subprocess
from pathlib import Path

import pytest

from sweeps import export, report
from sweeps.commands import report_again

pytestmark = pytest.mark.xdist_group("odd")
SWEEP = (
    "-m",
    "scheduler=cosine",
    "scheduler.eta_min=2.0",
    "epochs=4",
    "divergence=1e9",
    "hydra.sweeper.n_trials=2",
    "hydra.sweeper.study_name=odd",
    "tracking=none",
    "verdict.finalists=1",
    "verdict.plots=false",
    "verdict.selection=1",
    "verdict.fresh=2",
)
WARNING = "scheduler.eta_min=2.0: the lr rises instead of falling (unless eta_min < "


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, warm: str) -> tuple[Path, str]:
    """A sweep over one family, and what it said."""
    folder = tmp_path_factory.mktemp("odd")
    done = subprocess.run(
        [warm, "-m", "sweeps", *SWEEP],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder, done.stdout


def test_the_verdict_warns(odd: tuple[Path, str]) -> None:
    assert f"warning: cosine: {WARNING}" in " ".join(odd[1].split())
    artifacts = odd[0] / "mlruns/studies/odd/artifacts"
    assert WARNING in (artifacts / "verdict.md").read_text()
    snippet = json.loads((artifacts / "verdict.json").read_text())["recommended"]["snippet"]
    assert f"# warning: {WARNING}" in snippet


def test_a_report_warns_with_a_verdict_and_without(
    odd: tuple[Path, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(odd[0])
    report.main(["odd", "--out", str(tmp_path / "a")])
    assert WARNING in " ".join(capsys.readouterr().out.split())
    monkeypatch.setattr(report_again.read_review, "stored_verdict", lambda _: None)
    report.main(["odd", "--out", str(tmp_path / "b")])
    assert WARNING in " ".join(capsys.readouterr().out.split())


def test_an_exported_program_warns_and_quotes_the_verdict_s_loss(
    odd: tuple[Path, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(odd[0])
    export.main(["odd"])
    first, _, third, *_ = capsys.readouterr().out.splitlines()
    verdict = json.loads(Path("mlruns/studies/odd/artifacts/verdict.json").read_text())
    (standing,) = verdict["ranking"]["standings"]
    judged = f"loss {standing['mean']:.6g}, the mean over 2 fresh seeds"
    assert first.endswith(f": {judged}, recommended by the verdict on study odd")
    assert third.startswith(f"# warning: {WARNING}")
    assert f": {judged}, recommended by the verdict\n" in verdict["recommended"]["snippet"]
    export.main(["odd", "--out", str(tmp_path / "program.py")])
    assert WARNING in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("family", ["cosine", "scheduler=cosine"])
def test_the_only_family_of_a_study_is_found_by_its_name(
    odd: tuple[Path, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    family: str,
) -> None:
    monkeypatch.chdir(odd[0])
    export.main(["odd", "--family", family])
    assert "scheduler = CosineAnnealingLR(" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        export.main(["odd", "--family", "step"])
    assert "it has: scheduler=cosine" in capsys.readouterr().err
