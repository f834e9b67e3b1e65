"""What bulk recording leaves in MLflow is what its public calls leave: compared row by row."""

import csv
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import MetaData, create_engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from lrlab.tracking import RunFolder, RunInfo
from lrlab.tracking.download import fetch
from lrlab.tracking.run_columns import read_values
from lrlab.tracking.stores import sql_store, sql_tables
from lrlab.tracking.stores.api_store import ApiStore
from lrlab.tracking.stores.create_database import create_once
from lrlab.tracking.stores.sql_store import SqlStore
from lrlab.tracking.writer.mlflow_writer import MlflowWriter
from lrlab.tracking.writer.protocol import Message, WriterSettings

pytestmark = pytest.mark.usefixtures("fast")

NAN, INFINITY = float("nan"), float("inf")


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else shutil.which("initdb")
    return Path(initdb).parent if initdb else None


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of this test's own, without a database's name."""
    if _binaries() is None or find_spec("psycopg") is None:
        pytest.skip("no PostgreSQL server or driver is installed")
    root = Path(f"/tmp/pg-{os.getpid()}-{time.time_ns()}")  # noqa: S108  (a socket's path is short)
    root.mkdir()
    user = "postgres" if os.getuid() == 0 and "postgres" in _users() else None
    if user:
        shutil.chown(root, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        command = [str(_binaries() / program), "-D", f"{root}/d", *arguments]  # type: ignore[operator]
        subprocess.run(command, check=True, user=user, cwd=root, stdout=subprocess.DEVNULL)

    call("initdb", "-U", "me", "-A", "trust")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {root} -c fsync=off"
    call("pg_ctl", "-w", "start", "-l", f"{root}/log", "-o", options)
    yield f"postgresql://me@127.0.0.1:{port}"
    call("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(root)


def _users() -> set[str]:
    return {entry.pw_name for entry in pwd.getpwall()}


def driven(uri: str) -> str:
    return uri.replace("postgresql:", "postgresql+psycopg:")


class Way:
    """A way of recording, with folders and a store of its own."""

    def __init__(self, root: Path, uri: str, bulk: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.uri, self.bulk = root, uri, bulk
        monkeypatch.chdir(root)  # where MLflow puts its artifacts
        self.writer = MlflowWriter(uri, "x", bulk=bulk)
        self.writer.connect()
        self.client = MlflowClient(tracking_uri=driven(uri))

    def again(self) -> None:
        """As after a kill: a writer that knows nothing."""
        self.writer.close()
        self.writer = MlflowWriter(self.uri, "x", bulk=self.bulk)

    def close(self) -> None:
        """Leave no connection behind: a warning of one is an error in tests."""
        self.writer.close()
        self.client._tracking_client.store.engine.dispose()

    def run(self, name: str) -> RunFolder:
        return RunFolder(self.root / name)

    def found(self) -> list[Run]:
        """Every run, by its name."""
        runs = self.client.search_runs(["1"], "", order_by=["attributes.run_name"])
        return list(runs)

    def plain(self) -> Callable[[str], str]:
        """Ids and paths by names that are the same for every way."""
        names = {str(self.root): "root"}
        for run in self.found():
            for id_ in (run.info.run_id, run.data.tags["sweeps.run"]):
                names[id_] = f"id of {run.info.run_name}"
        found = re.compile("|".join(map(re.escape, names)))
        return lambda text: found.sub(lambda match: names[match[0]], text)

    def tables(self) -> dict[str, list[str]]:
        """Every row of every table, but for times of experiments and random ids of data."""
        plain, engine = self.plain(), create_engine(driven(self.uri))
        schema = MetaData()
        schema.reflect(engine)
        with engine.connect() as connection:
            rows = {
                table.name: sorted(
                    plain(repr({k: v for k, v in row.items() if k not in MADE}))
                    for row in connection.execute(select(table)).mappings()
                )
                for table in schema.sorted_tables
            }
        engine.dispose()
        return rows

    def seen(self) -> list[str]:
        """What a person sees by MLflow's client."""
        plain = self.plain()
        return [plain(line) for run in self.found() for line in self._of(run)]

    def _of(self, run: Run) -> Iterator[str]:
        run = self.client.get_run(run.info.run_id)
        yield repr([sorted(dict(run.info).items()), sorted(run.data.tags.items())])
        yield repr([sorted(run.data.params.items()), sorted(run.data.metrics.items())])
        yield repr([one.to_dictionary() for one in run.inputs.dataset_inputs])
        for metric in sorted(run.data.metrics):
            history = self.client.get_metric_history(run.info.run_id, metric)
            yield repr([(m.key, m.value, m.step, m.timestamp) for m in history])
        yield repr([(f.path, f.file_size) for f in self.client.list_artifacts(run.info.run_id)])


MADE = ("creation_time", "last_update_time", "dataset_uuid", "input_uuid", "source_id")


class Both:
    """Two ways that see the same folders at the same moments."""

    def __init__(self, bulk: Way, public: Way) -> None:
        self.bulk, self.public = bulk, public
        self.ways = (bulk, public)

    def write(self, *names: str, finish: bool, again: bool = False) -> None:
        """What `bulk` has in its folders is recorded by both."""
        notes = shutil.ignore_patterns("recorded.json", ".lock", "mlruns", "mlflow.db*", ".mlflow*")
        shutil.copytree(self.bulk.root, self.public.root, ignore=notes, dirs_exist_ok=True)
        self._repoint()
        for way in self.ways:
            if again:
                way.again()
            for name in names:
                way.writer.start(way.run(name))
                if finish:
                    way.writer.finish(way.run(name))
            way.writer.write()
            assert not way.writer.errors

    def _repoint(self) -> None:
        for path in self.public.root.glob("*/run.json"):
            text = path.read_text()
            path.write_text(text.replace(str(self.bulk.root), str(self.public.root)))

    def assert_equal(self) -> None:
        assert self.bulk.seen() == self.public.seen()
        tables, expected = (way.tables() for way in self.ways)
        assert tables.keys() == expected.keys()
        for table, rows in expected.items():
            assert tables[table] == rows, table


@pytest.fixture(scope="module")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database takes seconds to make: once for all tests."""
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    create_once(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def postgres_template(postgres: str) -> Callable[[str], str]:
    """Makes databases of a server, each with MLflow's tables; gives their addresses."""
    engine = create_engine(f"{driven(postgres)}/postgres", isolation_level="AUTOCOMMIT")

    def make(name: str, template: str = "template") -> str:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        engine.dispose()
        return f"{postgres}/{name}"

    store = SqlAlchemyStore(driven(make("template", "template0")), "unused")
    store.engine.dispose()
    return make


def test_an_empty_postgresql_is_opened_by_three_at_once(
    postgres: str, warm: str, tmp_path: Path
) -> None:
    engine = create_engine(f"{driven(postgres)}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE fresh"))
    engine.dispose()
    service = [warm, "-W", "ignore", "-m", "lrlab.tracking.writer.writer_process"]
    crew = []
    for name in ("one", "two", "three"):
        run = RunFolder(tmp_path / name).begin(RunInfo(name))
        run.end("FINISHED")
        process = subprocess.Popen(
            service,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        settings = WriterSettings(f"{postgres}/fresh", "x", str(tmp_path), 1.0, 60.0)
        for line in (settings, Message("start", str(run.path)), Message("finish", str(run.path))):
            line.send(process.stdin)
        process.stdin.flush()
        crew.append(process)
    for process in crew:
        answer = json.loads(process.communicate(timeout=200)[0])
        assert (answer["recorded"], answer["errors"]) == (1, [])


def test_a_migration_that_fails_gives_its_lock_back(postgres: str) -> None:
    engine = create_engine(f"{driven(postgres)}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in ("CREATE ROLE poor LOGIN", "CREATE DATABASE poor"):
            connection.execute(text(statement))
    uri = f"{driven(postgres)}/poor".replace("//me@", "//poor@")
    locks = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    for _ in range(2):  # the writer tries again
        with pytest.raises(SQLAlchemyError, match="permission denied") as failed:
            create_once(uri)
        with engine.connect() as connection:
            assert connection.execute(locks).scalar() == 0, failed
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def both(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sqlite_template: Path,
) -> Iterator[Both]:
    ways = []
    for name in ("a", "b"):
        root = tmp_path / name
        root.mkdir()
        if request.param == "sqlite":
            shutil.copy(sqlite_template, root)
            uri = f"sqlite:///{root}/mlflow.db"
        else:
            uri = request.getfixturevalue("postgres_template")(f"{name}{uuid4().hex}")
        ways.append(Way(root, uri, name == "a", monkeypatch))
    assert isinstance(ways[0].writer.connect().store, SqlStore)
    assert isinstance(ways[1].writer.connect().store, ApiStore)
    yield Both(*ways)
    for way in ways:
        way.close()


def log(run: RunFolder, *rows: Sequence[Any], names: Sequence[str] = ("loss", "lr")) -> None:
    """Append to a history: step, milliseconds, and the values."""
    new = not run.history.exists()
    with run.history.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["epoch", "milliseconds", *names])
        writer.writerows(rows)


def began(way: Way, name: str, **info: Any) -> RunFolder:
    return way.run(name).begin(RunInfo(name, **info))


def test_whole_runs(both: Both) -> None:
    params = {f"p{i}": i / 3 for i in range(120)} | {"long": "x" * 7000, "none": None}
    data = {"name": "moons", "digest": "1a", "source": "moons.Moons"}
    tags = {"mlflow.user": "me", "mlflow.source.name": "sweeps", "note": "ä'\"\\ %s ?"}
    for name, status in (("one", "FINISHED"), ("two", "FAILED"), ("three", "KILLED")):
        run = began(both.bulk, name, params=params, tags=tags, dataset=data)
        log(run, *[(step, 1000 + step, 1 / (1 + step), 0.1) for step in range(300)])
        run.end(status, tags={"state": "complete", "note": "x" * 9000})  # type: ignore[arg-type]
    began(both.bulk, "bare").end("FINISHED")
    both.write("one", "two", "three", "bare", finish=True)
    both.assert_equal()


def test_odd_values_repeats_and_steps_that_go_back(both: Both) -> None:
    run = began(both.bulk, "odd")
    log(
        run,
        *[(0, 1, NAN, 0.0), (0, 1, 0.0, NAN), (1, 5, INFINITY, -INFINITY), (1, 5, INFINITY, 1e308)],
        *[
            (2, 9, 1.0, 2.0),
            (2, 9, 1.0, 2.0),
            (2, 9, 3.0, NAN),
            (2, 8, 7.0, 1.0),
            (1, 99, 5.0, 1.0),
        ],
        *[(2, 9, NAN, -0.0), (2, 9, NAN, -0.0)],
    )
    run.end("FINISHED")
    both.write("odd", finish=True)
    both.assert_equal()


def test_a_streamed_run(both: Both) -> None:
    run = began(both.bulk, "long", params={"a": 1})
    both.write("long", finish=False)
    for step in range(4):
        log(run, (step, 10 + step, 2.0 - step, 0.1), (step, 10 + step, NAN, 0.1))
        both.write(finish=False)
        both.assert_equal()
    log(run, (2, 3, 50.0, 50.0))  # late: no latest value
    run.end("KILLED", tags={"state": "pruned", "reason": "too slow"})
    both.write("long", finish=True)
    both.assert_equal()


def test_what_comes_again_changes_nothing(both: Both) -> None:
    data = {"name": "moons", "digest": "1a", "source": "moons.Moons"}
    run = began(both.bulk, "twice", params={"a": 1}, tags={"b": "c"}, dataset=data)
    log(run, (0, 1, 1.0, NAN), (1, 2, 0.5, INFINITY))
    both.write("twice", finish=False)
    log(run, (2, 3, 0.4, 0.1))
    run.end("FINISHED")
    both.write("twice", finish=True, again=True)
    once = both.bulk.tables()
    both.write("twice", finish=True, again=True)
    assert both.bulk.tables() == once
    both.assert_equal()


def test_what_is_complete_is_not_written_again(both: Both) -> None:
    run = began(both.bulk, "once")
    log(run, (0, 1, 1.0, 0.1))
    run.end("FINISHED")
    both.write("once", finish=True)
    for way in both.ways:
        way.writer.finish(way.run("once"))
        assert not way.writer.waiting
        way.writer.start(way.run("once"))  # it goes on
        way.writer.finish(way.run("once"))
        assert way.writer.waiting == 1


def test_a_sweep_that_goes_on_and_its_trials(both: Both) -> None:
    sweep = both.bulk.run("sweep")
    for round_ in range(2):
        sweep.resume(RunInfo("sweep", {"n": round_}, {"mlflow.note.content": f"note {round_}"}))
        (sweep.artifacts / "verdict.md").write_text("better" * round_)
        trial = began(both.bulk, f"trial{round_}", parent=str(sweep.path))
        log(trial, (0, round_, 1.0, 0.1))
        trial.end("FINISHED")
        both.write(trial.path.name, finish=True, again=True)  # the first meets no parent there
        both.write("sweep", finish=False)
        both.assert_equal()
        log(sweep, (10 * (1 + round_), round_, 0.5 - round_), names=("best_in_tuning",))
        end = {"loss": 0.5 - round_, "mean/step": float(round_)}
        sweep.end("FINISHED", tags={"mlflow.note.content": f"verdict {round_}"}, metrics=end)
        both.write("sweep", finish=True)
        both.assert_equal()
    parent, *trials = both.bulk.found()
    assert {trial.data.tags["mlflow.parentRunId"] for trial in trials} == {parent.info.run_id}
    assert parent.data.tags["mlflow.note.content"] == "verdict 1"
    assert parent.data.params == {"n": "0"}
    assert parent.data.metrics == {"best_in_tuning": -0.5, "loss": -0.5, "mean/step": 1.0}


def test_a_run_that_mlflow_refuses_hinders_no_other(both: Both) -> None:
    for way in both.ways:
        runs = [began(way, name) for name in ("before", "bad", "then")]
        for run in runs:
            way.writer.start(run)
        way.writer.write()
        for run in runs:
            run.end("FINISHED", tags={"a[0]": "1"} if run is runs[1] else {})
            way.writer.finish(run)
        way.writer.write()
        [(folder, error)] = way.writer.errors.items()
        assert folder == runs[1]
        assert "Names may only contain" in error
        assert len(way.writer.recorded) == 2
        assert [bool(run.recorded().get("complete")) for run in runs] == [True, False, True]


def test_a_value_that_no_database_takes_hinders_no_other_run(both: Both) -> None:
    runs = [began(both.bulk, name) for name in ("good", "bad")]
    log(runs[1], (10**30, 1, 1.0, 0.1))  # a step
    for run in runs:
        run.end("FINISHED")
        both.bulk.writer.finish(run)
    both.bulk.writer.write()
    assert list(both.bulk.writer.errors) == [runs[1]]
    assert [run.info.run_name for run in both.bulk.found()] == ["good"]


def test_names_that_mlflow_refuses_are_replaced_and_noted(both: Both, tmp_path: Path) -> None:
    run = began(both.bulk, "names", params={"a[0]": 1, "a_0_": 2, "b": 3})
    log(run, (0, 1, 1.0, 2.0, 3.0), names=("x@y", "x_y", "/z"))
    run.end("FINISHED")
    both.write("names", finish=True)
    both.assert_equal()
    [found] = both.bulk.found()
    assert found.data.params == {"a_0__": "1", "a_0_": "2", "b": "3"}
    assert found.data.metrics == {"x_y_": 1.0, "x_y": 2.0, "_z": 3.0}
    names = {"params": {"a_0__": "a[0]"}, "metrics": {"x_y_": "x@y", "_z": "/z"}}
    assert json.loads(found.data.tags["sweeps.names"]) == names
    for way in both.ways:
        [there] = way.found()
        fetched = fetch(way.uri, there.info.run_id, tmp_path / f"fetched{way.bulk}")
        assert fetched.info().params == {"a[0]": "1", "a_0_": "2", "b": "3"}


def test_a_deleted_run_is_refused_as_mlflow_does(both: Both) -> None:
    for way in both.ways:
        run = began(way, "deleted")
        way.writer.start(run)
        way.writer.write()
        [found] = way.found()
        way.client.delete_run(found.info.run_id)
        log(run, (0, 1, 1.0, 0.1))
        way.writer.write()
        assert "deleted" in way.writer.errors[run]


def test_a_folder_that_cannot_be_read_hinders_no_other(both: Both) -> None:
    for way in both.ways:
        good, bad = began(way, "good"), began(way, "bad")
        good.end("FINISHED")
        (bad.path / "run.json").write_text("{")
        for run in (bad, good):
            way.writer.finish(run)
        way.writer.write()
        assert list(way.writer.errors) == [bad]
        assert [run.info.run_name for run in way.found()] == ["good"]


def test_an_unknown_schema_is_left_to_the_public_api(
    sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_tables, "SCHEMAS", {"another"})
    assert sql_store.open_engine(f"sqlite:///{sqlite_template}") is None


def test_the_installed_mlflow_has_a_schema_that_is_known(sqlite_template: Path) -> None:
    engine = sql_store.open_engine(f"sqlite:///{sqlite_template}")
    assert engine is not None, "a new MLflow: look through lrlab/tracking/stores/sql_tables.py"
    engine.dispose()


def test_a_long_history_is_read_in_parts(tmp_path: Path) -> None:
    run = RunFolder(tmp_path).begin(RunInfo("long"))
    log(run, *[(step, step, step / 7, NAN) for step in range(1000)])
    values, position, more = [], 0, True
    while more:
        some, position, more = read_values(run.history, position, at_once=777)
        values += some
    assert [step for name, *_, step in values if name == "loss"] == list(range(1000))
    assert position == run.history.stat().st_size


def test_a_line_that_is_still_written_is_left(tmp_path: Path) -> None:
    run = RunFolder(tmp_path).begin(RunInfo("torn"))
    log(run, (0, 1, 1.0, 0.1))
    with run.history.open("a") as file:
        file.write("1,2,0.")
    values, position, _ = read_values(run.history)
    assert [value[3] for value in values] == [0, 0]
    with run.history.open("a") as file:
        file.write("5,0.1\n")
    rest, *_ = read_values(run.history, position)
    assert list(rest) == [("loss", 0.5, 2, 1), ("lr", 0.1, 2, 1)]


def test_lines_of_another_length_are_no_history(tmp_path: Path) -> None:
    run = RunFolder(tmp_path).begin(RunInfo("mixed up"))
    log(run, (0, 1, 1.0, 0.1))
    with run.history.open("a") as file:
        file.write("1,2,0.5\n")
    with pytest.raises(ValueError, match="lines of another length"):
        read_values(run.history)
