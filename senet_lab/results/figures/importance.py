"""Which settings of a search matter: shares of importance by two methods, a panel per objective."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from senet_lab.results import outcomes
from senet_lab.results.figures import style
from senet_lab.results.figures.shown import Shown
from senet_lab.results.studies import OBJECTIVES

LOOKS = {
    "PED-ANOVA": {"color": style.DARK, "edgecolor": style.DARK},
    "fANOVA": {"color": "white", "edgecolor": style.ORANGE, "hatch": "////"},
}
HEIGHT = 0.36
"""Of a bar, of the distance of two settings."""


def frame(shown: Shown) -> pd.DataFrame:
    """A line per objective, method and setting: `setting` (dotted path), `name`, `importance` (sums to 1), `rank`.

    The settings are in the order of their mean importance for the error, the greatest first.
    """
    assert shown.tried is not None
    found = shown.tried.importances
    error = found[found["objective"] == "error"]
    means = error.groupby("setting")["importance"].mean()
    order = sorted(shown.tried.names, key=lambda path: -float(means.get(path, 0.0)))
    named = found.assign(name=found["setting"].map(shown.tried.names), rank=found["setting"].map(order.index))
    named["order"] = found["objective"].map(shown.tried.objectives.index)
    return named.sort_values(["order", "rank"], kind="stable", ignore_index=True).drop(columns="order")


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """The panels beside each other, or below each other in a column; `width` in centimetres."""
    objectives = list(dict.fromkeys(marks["objective"]))
    wide = width > style.NARROW + 3
    settings, panels = marks["setting"].nunique(), len(objectives)
    with style.style():
        height = 0.75 * settings + 1.1
        figure = style.sheet(width, (height if wide else height * panels) + 1.0)
        axes = [*figure.subplots(*((1, panels) if wide else (panels, 1)), sharey=True, squeeze=False).flat]
        for ax, objective in zip(axes, objectives, strict=True):
            panel(marks[marks["objective"] == objective], ax, 16 if wide else 14)
            ax.set_title(OBJECTIVES[objective], loc="left")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
        return style.settle(figure)


def panel(rows: pd.DataFrame, ax: Axes, characters: int) -> Axes:
    """A setting a line, a bar per method; no bar where a method says nothing."""
    names = rows.sort_values("rank").drop_duplicates("setting").set_index("rank")["name"]
    for side, (method, look) in zip((-1, 1), LOOKS.items(), strict=True):
        own = rows[rows["method"] == method]
        places = own["rank"] + side * HEIGHT / 2
        ax.barh(places, own["importance"], HEIGHT, label=method, linewidth=0.8, zorder=2, **look)
    style.row_axis(ax, [str(names.get(i, "")) for i in range(int(rows["rank"].max()) + 1)], characters, ())
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set_xlabel("share of importance")
    return ax


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """What the two methods say, and of what."""
    assert shown.tried is not None
    done = outcomes.to_their_end(shown.tried, f"{(shown.tried.candidates['outcome'] == 'done').sum():,}")
    without = sorted(set(marks["name"]) - set(marks.loc[marks["method"] == "fANOVA", "name"]))
    only = f"; fANOVA says nothing of {', '.join(without)}" if without else ""
    return (
        f"Importance of each setting over {done}; of a method and objective the bars sum to 1. PED-ANOVA "
        f"(Watanabe et al., 2023): what sets the best tenth apart. fANOVA (Hutter et al., 2014): share of the variance "
        f"among the candidates that have most settings{only}."
    )
