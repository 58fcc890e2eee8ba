"""Each row's effect in several settings, beside each other: where they differ, row and setting interact."""

import pandas as pd
from matplotlib.figure import Figure

from senet_lab.results.figures import style
from senet_lab.results.figures.along import counted
from senet_lab.results.stats import points

COLUMNS = ["variant", "setting", "baseline", "delta_points", "low_points", "high_points", "n", "verdict"]
CONTRASTS = ["reference", "method", "n_contrast", "n_reference", "contrast_points", "contrast_low_points"]
CONTRASTS += ["contrast_high_points", "p", "p_holm", "p_tost", "p_tost_holm", "correlation", "interaction"]


def frame(comparisons: dict[str, pd.DataFrame], contrasts: pd.DataFrame) -> pd.DataFrame:
    """A line per row and setting: the effect in points with its interval and verdict, then its contrast.

    `comparisons`: setting -> frame of `stats.compare`; `contrasts` as of `interaction.contrasts`. The first
    setting is what the others are contrasted with, and has none.
    """
    words = {"n": "n_contrast", "verdict": "interaction"}
    against = contrasts.rename(columns=words).set_index(["variant", "setting"])
    for name in ("contrast", "contrast_low", "contrast_high"):
        against[f"{name}_points"] = 100 * against[name].astype("float64")
    labels = dict.fromkeys(label for found in comparisons.values() for label in found["variant"])
    lines = []
    for label in labels:
        for setting, found in comparisons.items():
            for _, row in found[found["variant"] == label].iterrows():
                numbers = (100 * row["delta"], 100 * row["delta_low"], 100 * row["delta_high"], row["n_pairs"])
                lines.append((label, setting, row["baseline"], *numbers, row["verdict"]))
    effects = pd.DataFrame(lines, columns=COLUMNS)
    return effects.join(against[CONTRASTS], on=["variant", "setting"]).astype(
        {"n_contrast": "Int64", "n_reference": "Int64"}
    )


def draw(marks: pd.DataFrame, baseline: str, margin: float, width: float = style.WIDE) -> Figure:
    """A group of lines per row, one a setting; `margin` a fraction, `width` in centimetres."""
    labels, settings = [*dict.fromkeys(marks["variant"])], [*dict.fromkeys(marks["setting"])]
    characters = style.label_width(width)
    with style.style():
        height = style.rows_height(labels, characters, 0.3 + 0.42 * len(settings))
        figure = style.sheet(width, 3.0 + 0.35 * len(settings) + height)
        ax = figure.subplots()
        at = []
        for _, row in marks.iterrows():
            place, i = labels.index(row["variant"]), settings.index(row["setting"])
            at.append(place + 0.76 / len(settings) * (i - (len(settings) - 1) / 2))
            look = style.SERIES[i % len(style.SERIES)] | {"label": row["setting"], "linestyle": "none"}
            look |= {"markerfacecolor": look["color"] if i == 0 else "white"}
            style.bars(ax, row["delta_points"], at[-1], row["low_points"], row["high_points"], **look)
        style.shade_margin(ax, margin)
        style.row_axis(ax, labels, characters)
        style.column(ax, at, [str(n) for n in marks["n"]], "n", 6)
        words = ["" if pd.isna(word) else str(word) for word in marks["interaction"]]
        style.column(ax, at, words, f"against {settings[0]}" if width > 12 else "differs?", 24)
        style.directions(ax)
        ax.set_xlabel(style.difference_label(baseline, width))
        unique = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
        columns = 4 if width > 12 else 1
        figure.legend([*unique.values()], [*unique], loc="outside lower center", ncols=columns, frameon=False)
        return style.settle(figure)


def caption(marks: pd.DataFrame, baseline: str, margin: float) -> str:
    """One sentence: what is drawn, n, kinds of interval and test."""
    first = marks["setting"].iloc[0]
    methods = [*dict.fromkeys(marks["method"].dropna())]
    tests = {"paired": "paired by seed, as the data are the same", "Welch": "Welch's t, as the data differ"}
    return (
        f"Difference to {baseline} in each setting ({counted(marks['n'])} pairs; intervals joint at 95 % within a "
        f"setting); at the right edge whether the effect differs from that in {first} "
        f"({'; '.join(tests[m] for m in methods) or 'no contrast yet'}; Holm over all rows and settings; equivalent: "
        f"within {points(margin)})."
    )
