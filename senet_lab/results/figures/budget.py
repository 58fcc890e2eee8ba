"""How low an error a budget of candidates finds: the expected best of k, a line per row."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from senet_lab.results import studies
from senet_lab.results.figures import curves, style
from senet_lab.results.figures.along import counted
from senet_lab.results.figures.shown import Shown

DOTS = 24
"""Candidates up to which each has a mark."""
BESIDE, BELOW = 26, 40
"""Letters of a row's label in a line of the legend."""


def frame(shown: Shown) -> pd.DataFrame:
    """A line per row and number of candidates `k`: `error_percent`, `n` (candidates behind it), `kind`.

    See `studies.budget`.
    """
    assert shown.tried is not None
    found = studies.budget(shown.tried)
    return found.assign(error_percent=100 * found["error"].astype("float64")).drop(columns="error")


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """One panel, its legend beside it, or below it where there is no room; `width` in centimetres."""
    labels = list(dict.fromkeys(marks["variant"]))
    beside = width > style.NARROW + 3
    folded = [style.fold(text, BESIDE if beside else BELOW) for text in labels]
    lines = sum(1 + text.count("\n") for text in folded)
    with style.style():
        figure = style.sheet(width, max(6.8, 0.36 * lines) if beside else 6.8 + 0.38 * lines * (len(labels) > 1))
        ax = figure.subplots()
        panel(marks, shown, ax)
        if len(labels) > 1:
            place: dict[str, Any] = {"loc": "outside right center" if beside else "outside lower center"}
            figure.legend(ax.lines, folded, frameon=False, handlelength=3, **place)
        return style.settle(figure)


def panel(marks: pd.DataFrame, shown: Shown, ax: Axes) -> Axes:
    """A line per row over the number of candidates."""
    known = curves.looks(shown)
    for label, own in marks.groupby("variant", sort=False):
        look = known.get(str(label), {}) if len(known) > 1 and not _single(shown) else {"color": style.DARK}
        dots = {"marker": "o", "markersize": 3} if len(own) <= DOTS else {}
        where = {"drawstyle": "steps-post"} if (own["kind"] == "so far").all() else {}
        ax.plot(own["k"], own["error_percent"], label=str(label), **(look | dots | where))
    curves.error_axis(ax, marks.rename(columns={"error_percent": "mean"}))
    ax.set_xlabel("candidates trained")
    so_far = (marks["kind"] == "so far").any()
    ax.set_ylabel("lowest validation error so far (%)" if so_far else "expected lowest validation error (%)")
    return ax


def _single(shown: Shown) -> bool:
    return shown.tried is not None and shown.tried.search is not None


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """What is drawn, of how many; and what it is not."""
    n = counted(marks["n"], "candidate")
    if (marks["kind"] == "so far").any():
        return (
            f"Lowest validation error among the first k candidates ({n}), in the order asked for. What chose or "
            f"stopped them looked at results, so they are not independent: one course of many, no expectation."
        )
    return (
        f"Expected lowest validation error of k of the candidates, drawn without replacement ({n} a row; the unbiased "
        f"estimator of Tang et al., 2020). The right end rests on one candidate; all of it is optimistic, as the "
        f"lowest of many is: What was chosen has the errors of fresh seeds."
    )
