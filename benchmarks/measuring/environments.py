"""The environment of the usual stack, and what the two environments hold."""

import json
import os
import platform
import subprocess
import sys
import sysconfig
import venv
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from measuring.commands import environment

REQUIREMENTS = Path(__file__).parents[1] / "contenders/usual_requirements.txt"
PACKAGES = ("torch", "mlflow", "optuna", "sqlalchemy", "hydra-core", "omegaconf")
OFFICIAL = (*PACKAGES, "hydra-optuna-sweeper")
LIST = """
import json, sys
from importlib.metadata import version
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


def usual_python(folder: Path) -> str:
    """Make the usual stack's environment, unless it is there; give its interpreter.

    Only Hydra and the official sweeper are installed in it; torch, MLflow and Optuna are those of
    the running interpreter, so that the comparison is of the same versions. Needs the network,
    once.
    """
    wanted = f"{sys.prefix}\n{REQUIREMENTS.read_text()}"
    ready, python = folder / "made-of.txt", folder / "bin/python"
    if not (ready.exists() and ready.read_text() == wanted):
        print(f"making the usual stack's environment in {folder}", flush=True)
        _make(folder, python)
        ready.write_text(wanted)
    return str(python)


def _make(folder: Path, python: Path) -> None:
    venv.create(folder, clear=True, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    # Without dependencies: omegaconf's and the sweeper's are there already, see the path below.
    subprocess.run([*pip, "--no-deps", "-r", str(REQUIREMENTS)], check=True)
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = Path(subprocess.check_output(asked, text=True).strip())
    # Behind its own packages come ours. A path file read from here is not followed to others.
    shared = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (own / "shared.pth").write_text("\n".join(shared))
    # A package with this file hides the rest of the namespace: the plugins of our environment.
    (own / "hydra_plugins/__init__.py").touch()


def versions(python: str | None = None) -> dict[str, str]:
    """Versions of what matters, here or seen by the usual stack's interpreter."""
    if python is not None:
        ask = [python, "-c", LIST, *OFFICIAL]
        found: dict[str, str] = json.loads(subprocess.check_output(ask, env=usual_variables()))
        return found
    return {name: _version(name) for name in (*PACKAGES, "lr-sweeps")}


def usual_variables() -> dict[str, str]:
    """The usual stack's variables: nothing that leads to our own packages."""
    return environment("PYTHONPATH")


def machine() -> dict[str, Any]:
    """When and on what: date, system, interpreter, processor and how many may be used."""
    usable = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cpus": len(usable),
        "python": platform.python_version(),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a folder, not installed
        return "not installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "unknown")
