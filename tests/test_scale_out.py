"""Several hosts on one study, each with a network and a name of its own: as `scale_out.md` says."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.measuring.servers import postgresql
from hydra_plugins.optuna_families import all_trials

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
