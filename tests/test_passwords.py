"""A password of an address is nowhere shown, and nowhere written."""

from pathlib import Path

import pytest

ADDRESS = "http://me:{}@127.0.0.1:1"  # nobody listens there


@pytest.mark.parametrize("secret", ["hunter2", "x@hunter2"])
@pytest.mark.parametrize(
    "lines", [(), ("-m", "scheduler=step", "hydra.sweeper.n_trials=1", "verdict.finalists=0")]
)
def test_a_tracking_server_s_password_is_neither_shown_nor_written(
    command, tmp_path: Path, lines: tuple[str, ...], secret: str
) -> None:
    uri = f"tracking.uri='{ADDRESS.format(secret)}'"
    done = command(*lines, "epochs=2", uri, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
    assert done.returncode == 0, done.stderr
    assert "not recorded" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    files = [p for p in tmp_path.rglob("*") if p.is_file() and not p.name.startswith("optuna.db")]
    assert {"run.json", "config.yaml"} <= {path.name for path in files}
    assert [path for path in files if b"hunter2" in path.read_bytes()] == []
