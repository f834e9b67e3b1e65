"""Optuna's tables, and the schema version that `sql_read` and `sql_write` support.

Source: https://github.com/optuna/optuna/blob/master/optuna/storages/_rdb/models.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.storages._rdb import models
from optuna.trial import TrialState

if TYPE_CHECKING:
    from sqlalchemy import Table

VERSION = "v3.2.0.a"  # of Optuna 3.2 to 5.0

STUDIES: Table = models.StudyModel.__table__
STUDY_ATTRS: Table = models.StudySystemAttributeModel.__table__
TRIALS: Table = models.TrialModel.__table__
PARAMS: Table = models.TrialParamModel.__table__
VALUES: Table = models.TrialValueModel.__table__
INTERMEDIATE_VALUES: Table = models.TrialIntermediateValueModel.__table__
USER_ATTRS: Table = models.TrialUserAttributeModel.__table__
SYSTEM_ATTRS: Table = models.TrialSystemAttributeModel.__table__
OPEN = (TrialState.RUNNING, TrialState.WAITING)
