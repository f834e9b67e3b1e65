"""Addresses of databases and servers."""

from importlib.util import find_spec


def with_driver(uri: str) -> str:
    """An address with the driver that is installed with us, where it names none.

    >>> with_driver("postgresql://me@host/db")
    'postgresql+psycopg://me@host/db'
    """
    installed = "postgresql+psycopg" if find_spec("psycopg2") is None else "postgresql"
    scheme, separator, rest = uri.partition("://")
    return f"{installed}{separator}{rest}" if scheme in ("postgresql", "postgres") else uri


def shown(uri: str) -> str:
    """An address without its password.

    >>> shown("postgresql://me:secret@host/db")
    'postgresql://me:***@host/db'
    """
    from sqlalchemy import make_url  # not at the start of a program: it takes a while
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(uri).render_as_string(hide_password=True)
    except ArgumentError:
        return uri
