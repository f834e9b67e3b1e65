"""A PostgreSQL server of one's own, for the time of a measurement or a test."""

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
def postgresql(address: str = "127.0.0.1") -> Iterator[str]:
    """A running server's URL, with its password.

    Args:
        address: that it listens at; with that of a bridge, hosts of its network may connect.
    """
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        root = Path(name)
        # It refuses to run as root.
        known = "postgres" in {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if os.getuid() == 0 and known else None
        if user:
            shutil.chown(root, user)
        with socket.socket() as free:
            free.bind((address, 0))
            port = free.getsockname()[1]

        def call(program: str, *arguments: str) -> None:
            command = [str(binaries() / program), "-D", f"{root}/data", *arguments]
            subprocess.run(command, check=True, user=user, cwd=root, stdout=subprocess.DEVNULL)

        (root / "password").write_text("secret")
        call("initdb", "-U", "me", "-A", "md5", f"--pwfile={root}/password")
        with (root / "data/pg_hba.conf").open("a") as allowed:
            allowed.write(f"host all all {address}/16 md5\n")
        options = f"-p {port} -c listen_addresses={address} -k {root} -c max_connections=200"
        call("pg_ctl", "-w", "start", "-l", f"{root}/log", "-o", options)
        try:
            yield f"postgresql://me:secret@{address}:{port}/postgres"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")
