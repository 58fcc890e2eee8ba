"""The table of rows as MLflow shows it: a view saved with the experiment, and the address that opens it.

MLflow (from 3.15) keeps saved views as tags of the experiment; the value is a name, a time and the page's
state (mlflow/server/js, savedViewEnvelope.ts).
"""

import json
from collections.abc import Iterable
from urllib.parse import urlencode

VIEW = "senet-lab-rows"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
ROWS = "tags.`senet_lab.kind` = 'variant' and tags.`senet_lab.current` = 'true'"
SORT = "metrics.`test_error.mean`"
METRICS = (
    "test_error.mean",
    "test_error.ci_low",
    "test_error.ci_high",
    "delta.mean",
    "delta.ci_low",
    "delta.ci_high",
    "delta.p_holm",
    "n_seeds",
    "params",
    "macs",
)


TRAINING = {"workflowType": "machine_learning"}
"""MLflow opens its pages for language models unless the address says otherwise."""


def home_url(base: str) -> str:
    """The list of sweeps on the server at `base`."""
    return f"{base.rstrip('/')}/#/experiments?{urlencode(TRAINING)}"


def table_url(base: str, experiment_id: str) -> str:
    """The page of the server at `base` that shows a sweep's rows and nothing else, lowest test error first."""
    query = urlencode(TRAINING | {"viewStateShareKey": VIEW})
    return f"{base.rstrip('/')}/#/experiments/{experiment_id}/runs?{query}"


def saved_view(factors: Iterable[str]) -> str:
    """The value of the experiment tag `VIEW_TAG`: verdict, factors and numbers, a row a variant."""
    columns = [("tags", "verdict"), *(("params", f) for f in factors), *(("metrics", m) for m in METRICS)]
    widths = {f"{kind}.`{name}`": max(90, 24 + 6 * len(name)) for kind, name in columns}  # pixels
    state = {
        "searchFilter": ROWS,
        "orderByKey": SORT,
        "orderByAsc": True,
        "selectedColumns": list(widths),
        "columnOrder": list(widths),
        "columnWidths": widths,
        "runsHiddenMode": "SHOW_ALL",
    }
    return json.dumps({"name": "rows: variants by test error", "createdAt": 0, "state": json.dumps(state)})
