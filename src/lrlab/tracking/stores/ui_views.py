"""Saved views of an experiment, for MLflow's menu "Views".

MLflow's default view shows neither loss nor parameters. A saved view is a tag of the experiment in
the format that the UI writes; an MLflow without saved views ignores it.
"""

import json
from base64 import b64encode
from typing import Any
from zlib import compress

TAG = "mlflow.sharedViewState."
COLUMNS = (
    "metrics.`loss`",
    "params.`scheduler`",
    "params.`optimizer.lr`",
    "tags.`role`",
    "tags.`state`",
    "attributes.`Dataset`",
)
SECTION = "learning-curves"
# Per epoch, and of a sweep per ended trial; scale of the y axis.
CHARTS = {"lr": "linear", "loss": "log", "excess_loss": "log", "best_in_tuning": "log"}
BY_LOSS = {"orderByKey": "metrics.`loss`", "orderByAsc": True}
VIEWS = {
    "sweeps": ("Sweeps with their runs", {}),
    "trials": ("Trials by loss", BY_LOSS | {"searchFilter": "tags.role = 'trial'"}),
    "finalists": ("Finalists by loss", BY_LOSS | {"searchFilter": "tags.role = 'finalist'"}),
}


def saved_views() -> dict[str, str]:
    """Tags of an experiment that add our views to its menu."""
    return {f"{TAG}{key}": _view(name, changes) for key, (name, changes) in VIEWS.items()}


def _view(name: str, changes: dict[str, Any]) -> str:
    packed = b64encode(compress(json.dumps(_state() | changes).encode())).decode()
    at = 0  # a constant time, so that equal views are equal texts
    view = {"name": name, "createdAt": at, "updatedAt": at, "state": f"deflate;{packed}"}
    return json.dumps(view)


def _state() -> dict[str, Any]:
    return {
        "searchFilter": "",
        "orderByKey": "attributes.start_time",  # other orders do not show runs under their sweep
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": COLUMNS,
        "columnOrder": [],
        "columnWidths": {},
        "runsHiddenMode": "FIRST_10_RUNS",
        "compareRunCharts": [_chart(metric, scale) for metric, scale in CHARTS.items()],
        "compareRunSections": [
            {
                "uuid": SECTION,
                "name": "Learning curves",
                "display": True,
                "isReordered": True,
                "deleted": False,
                "isGenerated": False,
            }
        ],
        "isAccordionReordered": True,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": None,
        "groupsExpanded": {},
        "globalLineChartConfig": {
            "xAxisKey": "step",
            "lineSmoothness": 0,
            "selectedXAxisMetricKey": "",
        },
    }


def _chart(metric: str, scale: str) -> dict[str, Any]:
    return {
        "uuid": f"{SECTION}-{metric}",
        "type": "LINE",
        "runsCountToCompare": 10,
        "metricSectionId": SECTION,
        "deleted": False,
        "isGenerated": False,
        "displayName": metric,
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "scaleType": scale,
        "xAxisScaleType": "linear",
        "xAxisKey": "step",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "range": {},
        "lineSmoothness": 0,
        "selectedXAxisMetricKey": "",
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }
