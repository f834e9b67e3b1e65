"""Database URLs, read and written with SQLAlchemy's URL object, which escapes ``%`` and ``?``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL

_POSTGRES = ("postgresql", "postgres")  # schemes without a driver
_DRIVERS = ("psycopg", "psycopg2")  # the one of our extra first


def parse(address: str) -> URL:
    """Parse a URL.

    Raises:
        ValueError: it is no database URL; the message is one line without the password.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if not address.startswith("sqlite"):
        _check_user_info(address)
    try:
        return make_url(address)
    except ArgumentError:
        raise ValueError("it is no database URL such as sqlite:///optuna.db") from None
    except ValueError:
        raise ValueError("its port is not a whole number") from None


def _check_user_info(address: str) -> None:
    """Reject an unescaped @ in the password: the rest would count, and be shown, as the host."""
    if address.partition("?")[0].count("@") > 1:
        raise ValueError("an @ inside the user's name or password must be written as %40")


def sqlite_address(file: Path) -> str:
    """Return the URL of a SQLite file.

    >>> sqlite_address(Path("/runs/50%25done/what?.db"))
    'sqlite:////runs/50%2525done/what%3F.db'
    """
    from sqlalchemy import URL

    return URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)


def sqlite_file(address: str) -> Path | None:
    """Return the file of a SQLite URL; None for other databases and databases in memory.

    >>> sqlite_file("sqlite:////runs/50%2525done/x.db?timeout=100").as_posix()
    '/runs/50%25done/x.db'
    >>> sqlite_file("postgresql://host/db"), sqlite_file("sqlite:///:memory:")
    (None, None)
    """
    if not address.startswith("sqlite"):
        return None
    url = parse(address)
    inside = url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:")
    return None if inside or not url.database else Path(url.database)


def absolute(address: str, folder: Path) -> str:
    """Return a URL with absolute path and driver.

    Args:
        address: as typed by a user.
        folder: base of a relative SQLite path.

    Raises:
        ValueError: it is no database URL, or a database in memory.

    >>> absolute("sqlite:///a%20b.db?timeout=100", Path("/home/50%"))
    'sqlite:////home/50%25/a b.db?timeout=100'
    """
    url = parse(address)
    if url.get_backend_name() != "sqlite":
        return with_driver(address)
    file = sqlite_file(address)
    if file is None:
        raise ValueError("a database in memory is seen by one process only; name a file")
    if url.query.get("uri"):
        raise ValueError("SQLite's own file: addresses (uri=true) are not supported; name a file")
    return url.set(database=str(folder / file)).render_as_string(hide_password=False)


def with_driver(address: str) -> str:
    """Add an installed driver to a PostgreSQL URL without one.

    >>> with_driver("postgresql://me@host/db"), with_driver("http://host")
    ('postgresql+psycopg://me@host/db', 'http://host')
    """
    scheme, separator, rest = address.partition("://")
    if scheme not in _POSTGRES:
        return address
    installed = next((name for name in _DRIVERS if find_spec(name)), _DRIVERS[0])
    return f"postgresql+{installed}{separator}{rest}"
