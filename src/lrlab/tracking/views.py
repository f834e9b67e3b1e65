"""Views of an experiment's table of runs, for MLflow's menu "Views".

MLflow's own first view shows neither a loss nor a parameter. A saved view is a tag of the
experiment, as the UI itself writes it; an MLflow that does not know it ignores it.
"""

import json
import time
from base64 import b64encode
from typing import Any
from zlib import compress

TAG = "mlflow.sharedViewState."
COLUMNS = (
    "metrics.`loss`",
    "metrics.`excess_loss`",
    "params.`scheduler`",
    "params.`optimizer.lr`",
    "tags.`state`",
    "tags.`role`",
)
STATE = {
    "searchFilter": "",
    "orderByKey": "attributes.start_time",
    "orderByAsc": False,
    "startTime": "ALL",
    "lifecycleFilter": "Active",
    "datasetsFilter": [],
    "modelVersionFilter": "All Runs",
    "selectedColumns": COLUMNS,
    "columnOrder": [],
    "columnWidths": {},
    "runsHiddenMode": "FIRST_10_RUNS",
    "groupBy": None,
    "groupsExpanded": {},
    "useGroupedValuesInCharts": True,
    "hideEmptyCharts": True,
    "globalLineChartConfig": {
        "xAxisKey": "step",
        "lineSmoothness": 0,
        "selectedXAxisMetricKey": "",
    },
}
VIEWS = {
    "sweeps": ("Sweeps with their runs", {}),
    "loss": (
        "Trials by loss",
        {
            "searchFilter": "tags.role = 'trial'",
            "orderByKey": "metrics.`loss`",
            "orderByAsc": True,
        },
    ),
}


def saved_views() -> dict[str, str]:
    """The tags of an experiment that put our views into its menu."""
    return {f"{TAG}{key}": _view(name, changes) for key, (name, changes) in VIEWS.items()}


def _view(name: str, changes: dict[str, Any]) -> str:
    packed = b64encode(compress(json.dumps(STATE | changes).encode())).decode()
    now = time.time_ns() // 1_000_000
    view = {"name": name, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"}
    return json.dumps(view)
