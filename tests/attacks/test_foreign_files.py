"""A config file of a folder that is not trusted can start nothing and write nowhere else.

The files are data, in `foreign_files.yaml`: each is loaded as `--config-dir` loads it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hydra
import pytest
import yaml
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from sweeps.config.resolvers import conf_dir, register_resolvers
from sweeps.trust.trusted_names import read_trusted

CORPUS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("foreign_files.yaml").read_text())
Load = Callable[..., DictConfig]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Compose with one file of a foreign folder, as the command does."""
    register_resolvers()

    def compose(text: str, file: str, *words: str, name: str = "config") -> DictConfig:
        path = tmp_path / "foreign" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        loader = GlobalHydra.instance().config_loader()
        search = loader.get_search_path()
        schema = SearchPathQuery(provider="schema")
        search.prepend("command-line", f"file://{tmp_path / 'foreign'}", schema)
        loader.repository.initialize_sources(search)  # type: ignore[attr-defined]  # as --config-dir
        return loader.load_configuration(name, list(words), RunMode.MULTIRUN)

    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield compose


def choice(file: str) -> str:
    group, _, name = file.removesuffix(".yaml").rpartition("/")
    return f"{group}={name}"


@pytest.mark.parametrize("name", CORPUS)
def test_a_foreign_file_is_refused_by_the_name_of_its_key(load: Load, name: str) -> None:
    case = CORPUS[name]
    file = case.get("file", "scheduler/evil.yaml")
    if "words" in case:
        words, main = [], case["words"][1]
    else:
        words, main = [choice(file)], "config"
    with pytest.raises(HydraException) as refused:
        load(case["text"], file, *words, name=main)
    assert case["says"] in str(refused.value)
    assert Path(file).name in str(refused.value)


HARMLESS = {
    "schedule": ("scheduler/own.yaml", "_target_: torch.optim.lr_scheduler.StepLR\nstep_size: 3"),
    "preset": (
        "scheduler/own.yaml",
        "# @package _global_\n"
        "defaults: [override /optimizer: adam, override /hydra/sweeper/sampler: random]\n"
        "epochs: 7\nhydra: {sweeper: {n_trials: 9, direction: minimize, sampler: {seed: 3}, "
        "params: {optimizer.lr: 'interval(0.1, ${epochs})'}}}",
    ),
    "sampler": (
        "hydra/sweeper/sampler/own.yaml",
        "_target_: optuna.samplers.RandomSampler\nseed: 1",
    ),
    "tracker": ("tracking/own.yaml", "defaults: [mlflow]\nexperiment: theirs"),
    "search": ("task/own.yaml", "search: {n: 'range(1, 5)'}\nn: 3"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_foreign_file_may_describe_a_training_and_its_search(load: Load, name: str) -> None:
    file, text = HARMLESS[name]
    assert load(text, file, choice(file))


@pytest.mark.parametrize("name", ["callback", "folder of the runs", "handler by a factory"])
def test_the_same_file_of_a_trusted_folder_is_loaded(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SWEEPS_TRUSTED_CONFIGS", f"/nowhere:{tmp_path / 'foreign'}")
    read_trusted()
    file = CORPUS[name].get("file", "scheduler/evil.yaml")
    assert load(CORPUS[name]["text"], file, choice(file))


def test_the_person_may_set_what_a_foreign_file_may_not(load: Load) -> None:
    text = "_target_: torch.optim.lr_scheduler.StepLR"
    typed = ["hydra/launcher=basic", "hydra.run.dir=elsewhere", "+hydra.job.env_set.A=b"]
    config = load(text, "scheduler/own.yaml", "scheduler=own", *typed)
    assert config.hydra.run.dir == "elsewhere"


def test_the_files_of_another_app_in_the_process_have_its_own_rules(tmp_path: Path) -> None:
    register_resolvers()
    (tmp_path / "config.yaml").write_text("hydra: {run: {dir: elsewhere}}")
    with hydra.initialize_config_dir(str(tmp_path), version_base="1.3"):
        config = hydra.compose("config", return_hydra_config=True)
    assert config.hydra.run.dir == "elsewhere"


@pytest.mark.parametrize("link", ["file", "folder", "dots"])
def test_a_foreign_file_cannot_have_another_file_recorded(
    load: Load, tmp_path: Path, link: str
) -> None:
    (tmp_path / "secrets.yaml").write_text("token: s3cret")
    (tmp_path / "foreign").mkdir()
    if link == "folder":
        (tmp_path / "foreign/task").symlink_to(tmp_path)
    else:
        (tmp_path / "foreign/task").mkdir()
    if link == "file":
        (tmp_path / "foreign/task/secrets.yaml").symlink_to(tmp_path / "secrets.yaml")
    name = "../../secrets" if link == "dots" else "secrets"
    with pytest.raises(HydraException, match="out of the config folder") as refused:
        load("{}", "scheduler/own.yaml", f"task={name}")
    assert "s3cret" not in str(refused.value)


def test_links_within_a_foreign_folder_and_of_a_trusted_one_are_followed(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere.yaml").write_text("_target_: torch.optim.lr_scheduler.StepLR")
    (tmp_path / "foreign/scheduler").mkdir(parents=True)
    (tmp_path / "foreign/scheduler/near.yaml").symlink_to("own.yaml")
    (tmp_path / "foreign/scheduler/far.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    text = "_target_: torch.optim.lr_scheduler.StepLR\nstep_size: 3"
    assert load(text, "scheduler/own.yaml", "scheduler=near").scheduler.step_size == 3
    monkeypatch.setenv("SWEEPS_TRUSTED_CONFIGS", str(tmp_path / "foreign"))
    read_trusted()
    assert load(text, "scheduler/own.yaml", "scheduler=far").scheduler._target_


def test_beside_a_trusted_main_folder_another_one_is_still_foreign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEPS_TRUSTED_CONFIGS", str(tmp_path / "mine"))
    register_resolvers()
    for file, text in {"mine/config": "a: 1", "theirs/b/evil": CORPUS["callback"]["text"]}.items():
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / f"{file}.yaml").write_text(text)
    words = [f"hydra.searchpath=[file://{tmp_path / 'theirs'}]", "+b=evil"]
    main = hydra.initialize_config_dir(str(tmp_path / "mine"), version_base="1.3")
    with main, pytest.raises(HydraException, match=r"hydra\.callbacks"):
        hydra.compose("config", words, return_hydra_config=True)
