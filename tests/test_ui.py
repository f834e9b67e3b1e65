"""`python -m sweeps.ui` finds the run that is meant, and links to its page."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lrlab.tracking import RunFolder, RunInfo
from lrlab.tracking.ui import ui_pages, ui_server
from sweeps import ui

IDS = {"mine": "a" * 32, "cosine": "b" * 32}


class Server(BaseHTTPRequestHandler):
    """Answers as MLflow does, for the two runs."""

    def do_GET(self) -> None:
        run_id = self.path.rpartition("=")[2]
        known = run_id in IDS.values()
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"run": {"info": {"experiment_id": "7"}}}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder with a sweep and a newer run, and the address of their server."""
    monkeypatch.chdir(tmp_path)
    places = {"mine": "mlruns/studies/mine", "cosine": "mlruns/jobs/now"}
    for start, (name, place) in enumerate(places.items()):
        folder = RunFolder(Path(place))
        folder.begin(RunInfo(name, tags={"role": "sweep"} if name == "mine" else {}))
        run = folder.read() | {"start": start}
        (folder.path / "run.json").write_text(json.dumps(run))
        folder.note_recorded(IDS[name], complete=True, store="x")
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("what", "name"),
    [(None, "cosine"), ("mine", "mine"), ("mlruns/studies/mine", "mine"), ("aaaa", "mine")],
)
def test_the_last_line_is_the_page_of_the_run_that_is_meant(
    address: str, what: str | None, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ui.main([*([what] if what else []), "--uri", address, "--no-open"])
    link = f"{address}/#/experiments/7/runs/{IDS[name]}?workflowType=machine_learning"
    assert capsys.readouterr().out.splitlines()[-1].split(None, 1)[1] == link


@pytest.mark.parametrize("what", ["yours", "cccc"])
def test_a_run_that_is_not_there_is_said_with_what_there_is(
    address: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        ui.main([what])
    assert stopped.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: there is no run, folder or sweep '{what}' in ")
    assert said.endswith("; the sweeps here: mine\n")


def test_a_run_that_is_not_in_mlflow_has_a_page_of_its_own(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = RunFolder(Path("mlruns/studies/mine"))
    (sweep.path / "recorded.json").unlink()
    page = sweep.artifacts / "verdict.html"
    page.write_text("")
    ui.main(["mine"])
    assert capsys.readouterr().out.split() == ["page", page.absolute().as_uri()]


def test_a_ui_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ui_pages.UiError, match=r"MLflow's UI did not start: .*nonsense"):
        ui_server.start("nonsense://x", tmp_path, ui_server.any_port())
