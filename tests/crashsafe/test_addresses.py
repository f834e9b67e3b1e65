import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from crashsafe.addresses import absolute, sqlite_address, sqlite_file
from crashsafe.masking import masked

NAMES = ("50%25done", "what?.db", "a b", "ä{0}", "x#y&z=1", "+", "%", "c:d@e", "'\"")
PATHS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: text not in (":memory:", ".", "..")
)


@given(PATHS)
def test_the_file_of_an_address_is_read_back(name: str) -> None:
    file = Path("/runs") / name
    assert sqlite_file(sqlite_address(file)) == file
    assert absolute(sqlite_address(file), Path("/home")) == sqlite_address(file)


@pytest.mark.parametrize("name", NAMES)
def test_sqlalchemy_opens_the_intended_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / name / f"{name}.db"
    file.parent.mkdir()
    engine = create_engine(sqlite_address(file))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE here (x)")
    engine.dispose()
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == {file}
    found = sqlite3.connect(file)
    assert found.execute("SELECT name FROM sqlite_master").fetchall() == [("here",)]
    found.close()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("optuna.db", "no database URL"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///file:x.db?mode=ro&uri=true", "uri=true"),
        ("postgresql://me:x@tail@host/db", "%40"),
        ("postgresql://me:x@tail/y@host/db", "%40"),
        ("postgresql://me@host:port/db", "port"),
    ],
)
def test_an_address_that_cannot_work_is_refused_in_one_line(address: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        absolute(address, Path("/home"))
    assert "\n" not in str(refused.value)
    assert "tail" not in str(refused.value)


SECRETS = ("secret", "p@ss", "p/ss", "p:ss", "p%40ss", "p?ss", "p#ss", "p'ss", 'p"ss', "@", "ss@")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:{}@host/db",
        "x='postgresql+psycopg://me:{}@host/db?connect_timeout=1' y=me@host",
        "http://:{}@host:5000, and http://you@host",
        '{{"a": "http://me:{}@host", "b":"me@host"}}',
        '{{"a":"http://me:{}@host","b":"me@host"}}',
        "a://u:{0}@h,b://u:{0}@h",
    ],
)
def test_a_password_is_masked_to_its_end_and_nothing_else_is(secret: str, text: str) -> None:
    assert masked(text.format(secret)) == text.format("***")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://host/db?user=me&password={}",
        "mysql://host/db?passwd={}&charset=utf8",
        "x 'https://host/?api_key={}' token=5",
        "postgresql://host/db?sslpassword={}",
    ],
)
def test_a_password_among_the_options_is_masked(text: str) -> None:
    assert masked(text.format("s3cr3t")) == text.format("***")


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:////home/a:b@c/x.db",
        "lr=0.1 me@host",
        "http://host:5000/#/x",
        "what?token=1",
        "a: b@c",
    ],
)
def test_text_without_a_password_is_not_changed(text: str) -> None:
    assert masked(text) == text
