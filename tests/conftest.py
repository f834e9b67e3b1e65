import copy
import gc
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hydra
import pytest
from coverage import Coverage
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from crashsafe import fast_paths
from sweeps.config.resolvers import conf_dir, register_resolvers
from sweeps.trust.trusted_names import trusted
from tests.warm import warm_python

# A shell has its background jobs ignore Ctrl-C, and every process that we start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

MADE = """
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
SqlAlchemyStore("sqlite:///mlflow.db", "./mlruns").engine.dispose()
"""

COVERED = 2.0  # CPU-seconds of each file, in each of pytest's processes
spent: Counter[Path] = Counter()

Run = Callable[..., subprocess.CompletedProcess[str]]


def option_names(group: str) -> list[str]:
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`scheduler` and `optimizer` stand for every file of their folders."""
    for group in ("scheduler", "optimizer"):
        if group in metafunc.fixturenames:
            metafunc.parametrize(group, option_names(group))


def pytest_collection_finish() -> None:
    """Libraries stay to the end: the garbage collector need not look at them over and over."""
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cover-all", action="store_true", help="measure coverage in every test")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Measure coverage in the first tests of a file: it doubles a test's time, and later ones add
    few lines. What is reported is a lower bound."""
    begun, measured = time.process_time(), Coverage.current()
    if measured is None or item.config.getoption("cover_all") or spent[item.path] < COVERED:
        try:
            return (yield)
        finally:
            spent[item.path] += time.process_time() - begun
    measured.stop()
    try:
        return (yield)
    finally:
        measured.start()


@pytest.fixture(autouse=True)
def _own_trust() -> Iterator[None]:
    """A command reads once what is trusted; here each test is one."""
    yield
    trusted.cache_clear()


@pytest.fixture(scope="session")
def warm() -> Iterator[str]:
    """Stands in for the interpreter where its own start is not looked at; see `tests.warm`."""
    with warm_python() as path:
        yield path


@pytest.fixture
def python(request: pytest.FixtureRequest) -> str:
    """The interpreter for a command; the real one for tests marked `cold`."""
    if request.node.get_closest_marker("cold"):
        return sys.executable
    return str(request.getfixturevalue("warm"))


@pytest.fixture(scope="session")
def empty_database(warm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database without a run: its migrations take seconds."""
    folder = tmp_path_factory.mktemp("empty")
    subprocess.run([warm, "-c", MADE], cwd=folder, check=True, capture_output=True)
    return folder / "mlflow.db"


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a person who has used MLflow before; an empty one for tests marked `cold`."""
    if not request.node.get_closest_marker("cold"):
        shutil.copy(request.getfixturevalue("empty_database"), tmp_path)
    return tmp_path


@pytest.fixture(params=["fast", "plain"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without what exists for speed only; `make plain` runs all tests without it."""
    if request.param == "plain":
        monkeypatch.setenv(fast_paths.VARIABLE, "1")


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the fast paths themselves."""
    monkeypatch.delenv(fast_paths.VARIABLE, raising=False)


@pytest.fixture
def command_env(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a command; measuring coverage doubles its time: few are."""
    covered = request.node.get_closest_marker("covered")
    hidden = ("MLFLOW_", "HYDRA_", "SWEEPS_", *(() if covered else ("COVERAGE_",)))
    shown = {fast_paths.VARIABLE}
    env = {k: v for k, v in os.environ.items() if k in shown or not k.startswith(hidden)}
    return env | ({"WARM_COVERED": "1"} if covered else {})


@pytest.fixture
def command(home: Path, python: str, command_env: dict[str, str]) -> Run:
    """The real command: `command("scheduler=cosine", VARIABLE="value")`."""

    def run(
        *arguments: str, module: str = "sweeps", **env: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-m", module, *arguments],
            cwd=home,
            env=command_env | env,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


@pytest.fixture
def start(
    home: Path, python: str, command_env: dict[str, str]
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the real command and go on; what still runs at the end is killed."""
    processes = []

    def start_one(*arguments: str, module: str = "sweeps") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [python, "-m", module, *arguments],
            cwd=home,
            env=command_env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start_one
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Wait until a condition holds; fail if it does not come to that."""

    def wait(condition: Callable[[], bool], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.1)

    return wait


@cache
def composed(choices: tuple[str, ...]) -> DictConfig:
    """Composing takes a tenth of a second, and many tests want the same files."""
    return hydra.compose("config", ["tracking=none", *choices])


def with_values(config: DictConfig, overrides: list[Override]) -> DictConfig:
    """Hydra's own last step of composing, on a copy."""
    config = copy.deepcopy(config)
    ConfigLoaderImpl._apply_overrides_to_config(overrides, config)
    return config


@pytest.fixture
def compose() -> Iterator[Callable[..., DictConfig]]:
    """The config that a command line would give, without tracking."""
    register_resolvers()

    def compose_once(*words: str) -> DictConfig:
        overrides = OverridesParser.create().parse_overrides(list(words))
        keys = [override.key_or_group for override in overrides]
        groups = [key == "hydra.searchpath" or (conf_dir() / key).is_dir() for key in keys]
        choices = tuple(word for word, group in zip(words, groups, strict=True) if group)
        values = [found for found, group in zip(overrides, groups, strict=True) if not group]
        return with_values(composed(choices), values)

    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield compose_once
