"""What a report says of the published table beside it: frames in words, and sentences."""

import json
import math
from collections.abc import Iterable

import pandas as pd

from senet_lab.results import tables

SIGN = "sign"
TEST_IMAGES = {"ImageNet": 50_000, "CIFAR-10": 10_000, "CIFAR-100": 10_000}


def beside_frame(beside: pd.DataFrame, labels: Iterable[str], difference: str = tables.DIFFERENCE) -> pd.DataFrame:
    """A line per row, in the order of `labels`, that the paper has with its baseline: our `difference`, then its."""
    pairs = beside.dropna(subset="paper")
    sources = list(dict.fromkeys(pairs["source"]))
    lines = []
    for label in labels:
        if (found := pairs[pairs["variant"] == label]).empty:
            continue
        ours, theirs = found.iloc[0], found.set_index("source")
        cells = {"variant": label, "n": f"{ours['ours_n']:.0f}"}
        cells |= {difference: _points(ours["ours"], ours["ours_low"], ours["ours_high"])}
        cells |= {heading(s): _points(theirs["paper"].get(s, math.nan)) for s in sources}
        signs = theirs[SIGN]
        lines.append(cells | {SIGN: _together({str(s): sign for s, sign in signs.items()})})
    columns = ["variant", "n", difference, *map(heading, sources), SIGN]
    return pd.DataFrame(lines, columns=columns, dtype="str")


def heading(source: str) -> str:
    """Of the column with a document's differences."""
    return f"paper, {source}"


def beside_caption(beside: pd.DataFrame, baseline: str) -> str:
    """What the paper's differences are, and how little one run can tell."""
    data = _data(beside)
    if beside["paper"].isna().all():
        return f"The published table ({data}) has none of the pairs of rows that this sweep compares."
    sentences = (
        f"n: seeds of ours. "
        f"paper: the same comparison on {data}, one run each (n = 1), hence no interval; differences to {baseline} "
        f"within one document, in points.",
        "v4 and CVPR print the same numbers: one measurement."
        if beside["reference"].str.contains("; CVPR").any()
        else "",
        "Signs are compared where this sweep finds a difference." if beside[SIGN].str.startswith("ours").any() else "",
    )
    return " ".join(s for s in sentences if s)


def published_frame(beside: pd.DataFrame) -> pd.DataFrame:
    """Every published entry as text."""
    places = {0: "none", 2: "several"}
    return pd.DataFrame(
        [
            {
                "reference": entry["reference"],
                "entry": entry["entry"],
                "n": str(entry["n"]),
                "error %": f"{100 * entry['test_error']:.2f}",
                "difference, points": "-" if entry["entry"] == entry["baseline"] else _points(entry["delta"]),
                "to": entry["baseline"],
                "params": "-" if math.isnan(entry["params_millions"]) else f"{entry['params_millions']:.1f} M",
                "mult-adds": "-" if math.isnan(entry["gflops"]) else f"{entry['gflops']:.4g} G",
                "row here": entry["variant"] if entry["fits"] == 1 else places[min(entry["fits"], 2)],
                "note": entry["note"],
            }
            for _, entry in beside.iterrows()
        ],
        dtype="str",
    )


def published_note(beside: pd.DataFrame) -> str:
    """How the published numbers may be read."""
    data, errors = _data(beside), beside["test_error"]
    n = TEST_IMAGES[beside["data"].iloc[0]]
    sampling = 100 * math.sqrt(errors.median() * (1 - errors.median()) / n)
    return (
        f"Compare the differences, not the errors: all are of one run each (n = 1) on {data}. With n = 1 a "
        f"difference has no interval; the standard error that {n:,} test images alone leave in one of these errors is "
        f"about {sampling:.2f} points. Numbers printed in several places are one measurement and stand here once. An "
        f"entry belongs to the row here with the same settings of network and block, whatever it is trained on."
    )


def protocol_frame(protocol: pd.DataFrame) -> pd.DataFrame:
    """What differs, or is not stated, as text."""
    return protocol[~protocol["same"]].drop(columns=["where", "same"])


def protocol_note(protocol: pd.DataFrame) -> str:
    """What the table of protocols leaves out."""
    same = protocol.loc[protocol["same"], "item"].tolist()
    alike = f"The same in all: {', '.join(same)}. " if same else ""
    return f"{alike}Not stated: not in that document. protocol.csv says where each item is stated."


def as_csv(beside: pd.DataFrame) -> pd.DataFrame:
    """`beside` with settings as JSON."""
    return beside.assign(settings=[json.dumps(dict(settings)) for settings in beside["settings"]])


def _data(beside: pd.DataFrame) -> str:
    """What the published networks were trained on."""
    return " and ".join(beside["data"].unique())


def _points(middle: float, low: float = math.nan, high: float = math.nan) -> str:
    return tables.interval(middle, low, high, "+")


def _together(signs: dict[str, str]) -> str:
    """The verdicts on the signs of all documents, as one where they are the same."""
    if len(set(signs.values())) == 1:
        return next(iter(signs.values()))
    return ", ".join(f"{source} {sign}" for source, sign in signs.items())
