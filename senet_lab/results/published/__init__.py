"""The paper's tables as data, each number with its source. Files are kept as transcribed.

Each entry is one training run (n = 1) on ImageNet. arXiv v1 is left out: its reduction table repeats
the errors of the CVPR paper, and counting them twice would look like a second measurement.
"""

from importlib.resources import files

import pandas as pd

from senet_lab.errors import UserError, choices

SOURCES = {"arXiv v4 (TPAMI text)": "v4", "CVPR 2018": "CVPR"}
FACTORS = {"reduction_ratio": "model.se.reduction"}
"""Table -> the factor that its rows vary."""
SETTING = "SE-ResNet-50 and ResNet-50 on ImageNet, top-1, one run each (n = 1)"
ORIGINAL = "original"


def load(name: str) -> pd.DataFrame:
    """A published table, a line per entry, sources in the order v4, CVPR.

    Columns: `source`, `value` (of the factor, or "original": the network without SE), `model`,
    `test_error` (top-1, fraction), `delta` (to the same source's original, fraction),
    `params_millions`, `n` (1), `reference` (document and table). Raises UserError for an unknown name.
    """
    if name not in FACTORS:
        raise UserError(f"there is no published table {name!r}; {choices(name, sorted(FACTORS))}")
    with files(__package__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype={name: "str"})
    table = table[table["paper_version"].isin(list(SOURCES))]
    percent = table["top1_error_percent"]
    original = percent.where(table[name] == ORIGINAL).groupby(table["paper_version"]).transform("max")
    columns = {
        "source": table["paper_version"].map(SOURCES),
        "value": pd.Series([v if v == ORIGINAL else int(v) for v in table[name]], table.index, dtype="object"),
        "model": table["model"],
        "test_error": (percent / 100).round(6),
        "delta": ((percent - original) / 100).round(6),
        "params_millions": table["params_millions"],
        "n": 1,
        "reference": table["source"],
    }
    return pd.DataFrame(columns).reset_index(drop=True)
