"""`${oc.env:NAME}` for an allow-list: what a config reads ends up in MLflow and in files."""

from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.resolvers.oc import env

from sweeps.trust.trusted_names import VARIABLES, trusted

# Names and numbers, no credentials. An address among them is masked wherever it is written.
READABLE = frozenset(
    """
    SWEEPS_STORAGE MLFLOW_TRACKING_URI MLFLOW_EXPERIMENT_NAME
    USER LOGNAME HOME HOSTNAME PWD TMPDIR CUDA_VISIBLE_DEVICES OMP_NUM_THREADS
    RANK LOCAL_RANK WORLD_SIZE SLURM_JOB_ID SLURM_JOB_NAME SLURM_ARRAY_TASK_ID SLURM_PROCID
    """.split()  # noqa: SIM905 (to be read)
)


class ForbiddenVariableError(HydraException, ValueError):
    """A config reads an environment variable that is not on the list."""


def register_env_resolver() -> None:
    """Replace OmegaConf's `oc.env`, which reads any variable."""
    OmegaConf.register_new_resolver("oc.env", _allowed_env, replace=True)


def _allowed_env(key: str, *default: Any) -> str | None:
    if key not in READABLE and key not in trusted().variables:
        raise ForbiddenVariableError(
            f"a config may not read the environment variable {key}: it could be a secret, and what "
            f"a config reads is recorded; if it may be read: {VARIABLES}={key}"
        )
    return env(key, *default)
