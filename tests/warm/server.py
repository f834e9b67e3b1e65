"""`python server.py SOCKET CLIENT`: import the heavy libraries once, fork a process a request.

A second server, at SOCKET with `.ready` behind it, has imported our modules too and has composed a
config. Both end, and what they have forked with them, when their standard input does.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import threading
import warnings
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import coverage

# What takes seconds to import.
LIBRARIES = """
    torch scipy.stats numpy pandas matplotlib.pyplot sqlalchemy alembic optuna
    optuna.storages optuna.samplers hydra hydra._internal.hydra pydantic rich.live rich.table
    mlflow mlflow.store.tracking.sqlalchemy_store mlflow.tracking.client mlflow.entities
""".split()  # noqa: SIM905 (to be read)
OURS = "crashsafe", "hydra_plugins", "lrlab", "optuna_families", "sweeps"


class Server:
    """Forks processes, passes signals on to them, tells how they ended."""

    def __init__(self, listener: socket.socket) -> None:
        self._watched = selectors.DefaultSelector()
        self._listener = listener
        self._watched.register(self._listener, selectors.EVENT_READ, self._accept)
        self._watched.register(0, selectors.EVENT_READ, self._end)
        self._children: set[int] = set()

    def serve(self) -> dict[str, Any]:
        """In each forked process return its request; in the server itself return never."""
        while True:
            for key, _ in self._watched.select():
                request = key.data()
                if request:
                    return dict(request)

    def _accept(self) -> dict[str, Any] | None:
        connection = self._listener.accept()[0]
        text, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
        if not text:  # the client was killed before it could say what it wants
            connection.close()
            return None
        child = os.fork()
        if child == 0:
            self._watched.close()
            self._listener.close()
            connection.close()
            return {**json.loads(text), "streams": streams}
        for stream in streams:
            os.close(stream)
        self._children.add(child)
        ended = os.pidfd_open(child)
        hear = partial(self._hear, connection, child)
        tell = partial(self._tell, connection, child, ended)
        self._watched.register(connection, selectors.EVENT_READ, hear)
        self._watched.register(ended, selectors.EVENT_READ, tell)
        return None

    def _hear(self, connection: socket.socket, child: int) -> None:
        word = connection.recv(1)
        if child in self._children:
            os.kill(child, word[0] if word else signal.SIGKILL)
        if not word:
            self._watched.unregister(connection)
            connection.close()

    def _tell(self, connection: socket.socket, child: int, ended: int) -> None:
        self._watched.unregister(ended)
        os.close(ended)
        self._children.discard(child)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if connection.fileno() != -1:
            connection.send(str(status).encode())

    def _end(self) -> None:
        for child in self._children:
            os.kill(child, signal.SIGKILL)
        os._exit(0)


def become(request: dict[str, Any], client: str, added: dict[str, str]) -> None:
    """Be a process as the interpreter would have started it.

    Args:
        request: of the client.
        client: the path of the stand-in for the interpreter.
        added: variables that our modules have set while they were imported.
    """
    for number, stream in enumerate(request["streams"]):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(added | request["env"])
    os.chdir(request["cwd"])
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "utf-8").partition(":")
    sys.stdin = open(0, encoding=encoding, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=encoding, errors=errors or None, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding, "backslashreplace", closefd=False)  # noqa: SIM115
    sys.executable = client
    sys.orig_argv = ["python", *request["argv"]]
    sys.path[:0] = os.environ.get("PYTHONPATH", "").split(os.pathsep) * ("PYTHONPATH" in os.environ)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "WARM_COVERED" in os.environ:
        coverage.process_startup()


def run(first: str, *rest: str) -> None:
    """Run what stands after `python` on a command line."""
    if first == "-W":
        warnings.simplefilter(rest[0])  # type: ignore[arg-type]  # a word of the interpreter's
        run(*rest[1:])
    elif first == "-m":
        sys.argv, sys.path[0] = list(rest), str(Path.cwd())
        if rest[0] != "sweeps":
            sys.modules.pop(rest[0], None)  # imported is not run
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv, sys.path[0] = ["-c", *rest[1:]], ""
        exec(rest[0], {"__name__": "__main__"})  # noqa: S102
    else:
        sys.argv, sys.path[0] = [first, *rest], str(Path(first).absolute().parent)
        runpy.run_path(first, run_name="__main__")


def leave(words: list[str]) -> NoReturn:
    """Run, then end as the interpreter does, but for taking the libraries down piece by piece."""
    try:
        run(*words)
        code = 0
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)  # noqa: T201
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        raise
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]  # there is one
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def listening(address: str) -> socket.socket:
    """A socket whose clients wait until they are served."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen(64)
    return listener


def import_ours() -> None:
    """All that a command could import, but commands themselves: those are run."""
    for package in map(importlib.import_module, OURS):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    warm_up_hydra()


def warm_up_hydra() -> None:
    """Its list of plugins, and the tables that its parsers fill as they go."""
    from hydra import compose, initialize_config_dir

    from sweeps.config.resolvers import conf_dir

    words = ["tracking=none", "scheduler=cosine", "seed=1"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        compose("config", words, return_hydra_config=True)


if __name__ == "__main__":
    given, added = dict(os.environ), {}
    # Read by MLflow while it is imported; the product sets it before it does so itself.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    for library in LIBRARIES:
        importlib.import_module(library)
    plain, ready = listening(sys.argv[1]), listening(sys.argv[1] + ".ready")
    gc.freeze()
    if os.fork() == 0:
        os.close(1)  # the line below is the other's to write
        ready.close()
        wanted = Server(plain).serve()
    else:
        plain.close()
        import_ours()
        added = {key: value for key, value in os.environ.items() if key not in given}
        gc.freeze()
        print("listening", flush=True)  # noqa: T201
        wanted = Server(ready).serve()
    become(wanted, sys.argv[2], added)
    leave(wanted["argv"])
