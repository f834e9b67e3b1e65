"""A PostgreSQL server of one's own, on loopback, for the time of a measurement."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path:
    """The folder of PostgreSQL's server programs.

    Raises:
        FileNotFoundError: none is installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else shutil.which("initdb")
    if not initdb:
        raise FileNotFoundError("no PostgreSQL server is installed (Debian: postgresql)")
    return Path(initdb).parent


@contextmanager
def postgresql() -> Iterator[str]:
    """A running server's URL, with its password."""
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        root = Path(name)
        # It refuses to run as root.
        known = "postgres" in {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if os.getuid() == 0 and known else None
        if user:
            shutil.chown(root, user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]

        def call(program: str, *arguments: str) -> None:
            command = [str(binaries() / program), "-D", f"{root}/data", *arguments]
            subprocess.run(command, check=True, user=user, cwd=root, stdout=subprocess.DEVNULL)

        (root / "password").write_text("secret")
        call("initdb", "-U", "me", "-A", "md5", f"--pwfile={root}/password")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {root} -c max_connections=200"
        call("pg_ctl", "-w", "start", "-l", f"{root}/log", "-o", options)
        try:
            yield f"postgresql://me:secret@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")
