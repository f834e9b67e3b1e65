"""What `scale_out.md` says: several hosts on one study, an MLflow server on an object store."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.measuring.servers import postgresql
from hydra_plugins.optuna_families import all_trials
from tests.looking import free_port, wait_until_up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
HOSTS, N_TRIALS = ("one", "two", "three"), 12
# A bridge is the network's switch; each host has a cable to it.
SWITCH = [
    "ip link add sweeps0 type bridge",
    "ip addr add 10.77.0.1/16 dev sweeps0",
    "ip link set sweeps0 up",
]
HOST = [
    "ip netns add sweeps-{name}",
    "ip link add sweeps{n} type veth peer name eth0 netns sweeps-{name}",
    "ip link set sweeps{n} master sweeps0 up",
    "ip -n sweeps-{name} addr add 10.77.{n}.1/16 dev eth0",
    "ip -n sweeps-{name} link set eth0 up",
    "ip -n sweeps-{name} link set lo up",
]


def run(lines: list[str], *, check: bool = True, **names: object) -> None:
    for line in lines:
        subprocess.run(line.format(**names).split(), check=check, capture_output=True)


@contextmanager
def network() -> Iterator[None]:
    try:
        run(SWITCH)
        for n, name in enumerate(HOSTS, 1):
            run(HOST, n=n, name=name)
        yield
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        pytest.skip(f"needs the right to make networks: {error}")
    finally:
        for name in HOSTS:
            run(["ip netns del sweeps-{name}"], check=False, name=name)
        run(["ip link del sweeps0"], check=False)


@pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2")
def test_three_hosts_share_a_study_on_postgresql(
    tmp_path: Path, command_env: dict[str, str]
) -> None:
    words = [
        *("-m", "sweeps", "-m", "scheduler=cosine,step", "epochs=20", "task.n=50", "tracking=none"),
        *(f"hydra.sweeper.n_trials={N_TRIALS}", "hydra.sweeper.study_name=big"),
        *("hydra.sweeper.batch_size=1", "verdict.finalists=0"),
    ]
    with network(), postgresql("10.77.0.1") as url:
        hosts = []
        for name in HOSTS:
            (tmp_path / name).mkdir()
            own = ["ip", "netns", "exec", f"sweeps-{name}", "unshare", "-u", "sh", "-c"]
            begin = f'hostname {name} && exec "$@"'
            command = [*own, begin, "sh", sys.executable, *words]
            env = command_env | {"SWEEPS_STORAGE": url}
            hosts.append(
                subprocess.Popen(command, cwd=tmp_path / name, env=env, stderr=subprocess.PIPE)
            )
        errors = [host.communicate()[1] for host in hosts]
        assert [host.returncode for host in hosts] == [0, 0, 0], errors
        found = all_trials(url, "big")
    assert [sum(t.state.name != "FAIL" for t in trials) for trials in found.values()] == [
        N_TRIALS
    ] * 2
    trials = [trial for family in found.values() for trial in family]
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED", "FAIL"}  # some diverge
    assert {trial.user_attrs["owner"].partition(":")[0] for trial in trials} == {*HOSTS}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and _has_password(path)]


def _has_password(path: Path) -> bool:
    return b"me:secret@" in path.read_bytes()


KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_REGION": "us-east-1"}


@contextmanager
def server(url: str, *words: str, **env: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *words],
        env=os.environ | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until_up(url, 300)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def object_store() -> Iterator[tuple[str, Callable[[], set[str]]]]:
    """Address of a store that speaks S3, with a bucket `runs`; and what the names in it are."""
    import boto3

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with server(f"{url}/moto-api/", "moto.server", "-p", str(port)):
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "s3cret"}
        store = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)
        store.create_bucket(Bucket="runs")

        def names() -> set[str]:
            pages = store.get_paginator("list_objects_v2").paginate(Bucket="runs")
            return {found["Key"] for page in pages for found in page.get("Contents", [])}

        yield url, names


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("moto", "boto3", "flask"))),
    reason="needs a store that speaks S3: pip install 'moto[server]' boto3",
)
def test_an_mlflow_server_on_postgresql_and_an_object_store_has_every_run(
    command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    with postgresql() as database, object_store() as (store, names):
        words = ["--backend-store-uri", database.replace("postgresql", "postgresql+psycopg", 1)]
        words += ["--artifacts-destination", "s3://runs", "--port", str(port), "--workers", "2"]
        env = KEYS | {"MLFLOW_S3_ENDPOINT_URL": store}
        with server(f"{uri}/health", "mlflow", "server", *words, **env):
            # The one that trains has no keys.
            done = command(
                *("-m", "scheduler=cosine,step", "epochs=20", "task.n=50", "verdict.fresh=2"),
                *("hydra.sweeper.n_trials=4", "hydra.sweeper.study_name=s", "verdict.finalists=1"),
                MLFLOW_TRACKING_URI=uri,
            )
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            client = MlflowClient(uri)
            [experiment] = client.search_experiments(filter_string="name != 'Default'")
            runs = client.search_runs([experiment.experiment_id], max_results=100)
            trials = [run for run in runs if run.data.tags.get("role") == "trial"]
            [sweep] = [run for run in runs if run.data.tags.get("role") == "sweep"]
            assert len(trials) == 8
            assert {run.info.status for run in runs} <= {"FINISHED", "FAILED"}
            local = client.download_artifacts(sweep.info.run_id, "verdict.md", str(tmp_path))
            assert "scheduler" in Path(local).read_text()
            assert {name.rpartition("/")[2] for name in names()} >= {"verdict.md", "history.csv"}
