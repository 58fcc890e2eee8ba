"""Figures of gates, as v4 Figs. 6 and 7 have them, and what seeds have in common. They draw frames, compute nothing.

Classes are told apart by line style and marker as well as by colour. Ours and the paper's stand one below the
other and never in one panel by channel: two networks have their channels in no common order.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

ACROSS = 3
"""Panels side by side, as in the paper."""
PANEL, AROUND = 2.2, 1.0  # inches of height
PALETTE = sns.color_palette("colorblind")
STYLES: tuple[tuple[Any, Any, str], ...] = (
    (PALETTE[0], "-", "o"),
    (PALETTE[1], "--", "s"),
    (PALETTE[2], "-.", "^"),
    (PALETTE[3], ":", "D"),
    (PALETTE[4], (0, (5, 1)), "v"),
    (PALETTE[5], (0, (3, 1, 1, 1)), "P"),
    (PALETTE[7], (0, (7, 2)), "X"),
    (PALETTE[9], (0, (2, 2)), "<"),
)
"""Colour, line and marker of the classes, in order."""
HATCHES = ("", "/////")
BLUE, ORANGE = PALETTE[0], PALETTE[1]
STATISTICS = {
    "spread": "spread of the classes' means",
    "share": "share of variance between classes",
    "within": "sd within a class",
    "mean": "mean gate",
    "near_one": "share of channels near one",
    "near_zero": "share of channels near nought",
}
PAPER = "paper, SE-ResNet-50 on ImageNet (n = 1)"
TITLE = 34  # characters in a line
MARKS = 8  # on a line
FLAT = 0.01  # an axis that reaches less far would make much of nothing


@dataclass(frozen=True)
class Sheet:
    """The curves of one network."""

    title: str
    curves: pd.DataFrame
    """`block`, `name` (of the class; "all" for all), `channel`, `mean`, `sd`: a line a mark, blocks by depth."""
    limits: tuple[float, float] | None
    """Of the activations; None: as far as they go."""


Panel = Callable[[pd.DataFrame, Axes], Axes]


def classes(sheets: Sequence[Sheet]) -> Figure:
    """A panel a block: the mean gate of each class and of all, along the channels (v4 Fig. 6)."""
    return _sheets(sheets, class_lines)


def within(sheets: Sequence[Sheet]) -> Figure:
    """A panel a block: mean and one standard deviation over the images of each class (v4 Fig. 7)."""
    return _sheets(sheets, class_bands)


def class_lines(own: pd.DataFrame, ax: Axes) -> Axes:
    """One block: a line a class over a broad grey one of all, marked at some of its channels."""
    every = own[own["name"] == "all"]
    ax.plot(every["channel"], every["mean"], color="0.7", linewidth=3.5, label="all classes", zorder=1)
    for place, (name, curve) in enumerate(_by_name(own)):
        ax.plot(curve["channel"], curve["mean"], label=name, **_line(place, len(curve)))
    return ax


def class_bands(own: pd.DataFrame, ax: Axes) -> Axes:
    """One block: a line and a band a class; the second is hatched."""
    for place, (name, curve) in enumerate(_by_name(own)):
        color, hatch = STYLES[place][0], HATCHES[place % len(HATCHES)]
        look: dict[str, Any] = {
            "facecolor": (*color, 0.25),
            "edgecolor": (*color, 0.6),
            "hatch": hatch,
            "linewidth": 0.5,
        }
        low, high = curve["mean"] - curve["sd"], curve["mean"] + curve["sd"]
        ax.fill_between(curve["channel"], low, high, label=f"{name}, mean and one sd", **look)
        ax.plot(curve["channel"], curve["mean"], label=f"{name}, mean and one sd", **_line(place, len(curve)))
    return ax


def seeds(profiles: Sheet, summary: pd.DataFrame, note: str) -> Figure:
    """Sorted gates of the shown blocks, then each order-free number over all blocks; mean and interval over seeds.

    `profiles`: a sheet of `source` ("ours" or "paper"), `block`, `at`, `n`, `mean`, `low`, `high`. `summary`: the
    same with `statistic` instead of `at`.
    """
    curves = profiles.curves
    names = curves.loc[curves["source"] == "ours", "block"].unique()
    rows = -(-len(names) // ACROSS)
    heights = [PANEL * rows + AROUND, 2 * (PANEL + 0.5) + AROUND]
    with _style():
        figure = Figure(figsize=(10.5, sum(heights)), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=heights, squeeze=False)[:, 0]
        for ax, name in zip(_axes(upper, len(names)), names, strict=False):
            sorted_gates(curves[curves["block"] == name], ax).set_title(name, loc="left", fontweight="bold")
            if profiles.limits:
                ax.set_ylim(*profiles.limits)
        upper.suptitle(profiles.title, x=0.01, ha="left")
        _labels(upper, "share of channels, sorted", "activation, all classes")
        _legend(upper)
        for ax, (statistic, text) in zip(_axes(lower, len(STATISTICS), share=False), STATISTICS.items(), strict=True):
            by_depth(summary[summary["statistic"] == statistic], ax)
            ax.set_title("\n".join(textwrap.wrap(text, TITLE)), loc="left", fontweight="bold")
        lower.suptitle("\n".join(textwrap.wrap(note, 130)), x=0.01, ha="left", fontsize="medium")
        _legend(lower)
    return figure


def sorted_gates(own: pd.DataFrame, ax: Axes) -> Axes:
    """One block: the sorted means, with their interval over seeds; the paper's block of that name."""
    ours, paper = own[own["source"] == "ours"], own[own["source"] == "paper"]
    label = _ours(ours)
    ax.plot(ours["at"], ours["mean"], color=BLUE, label=label)
    ax.fill_between(ours["at"], ours["low"], ours["high"], color=BLUE, alpha=0.25, linewidth=0, label=label)
    if len(paper):
        ax.plot(paper["at"], paper["mean"], color=ORANGE, linestyle="--", label=PAPER)
    return ax


def by_depth(own: pd.DataFrame, ax: Axes) -> Axes:
    """One number over the blocks by depth; the paper's blocks behind a line, as they are another network's."""
    ours, paper = own[own["source"] == "ours"], own[(own["source"] == "paper") & own["mean"].notna()]
    place = [float(i) for i in range(len(ours))]
    ends = [(ours["mean"] - ours["low"]).to_numpy(), (ours["high"] - ours["mean"]).to_numpy()]
    ax.plot(place, ours["mean"], color=BLUE, alpha=0.35)
    look: dict[str, Any] = {"fmt": "o", "color": BLUE, "markersize": 4, "capsize": 2.5}
    ax.errorbar(place, ours["mean"], ends, label=_ours(ours), **look)
    labels = ours["block"].tolist()
    if len(paper):
        behind = [len(ours) + 0.5 + i for i in range(len(paper))]
        ax.axvline(len(ours) - 0.25, color="0.6", linewidth=0.8)
        theirs: dict[str, Any] = {"linestyle": ":", "marker": "s", "markersize": 5, "markerfacecolor": "white"}
        ax.plot(behind, paper["mean"], color=ORANGE, label=PAPER, **theirs)
        place, labels = place + behind, labels + paper["block"].tolist()
    ax.set_xticks(place, labels, rotation=90, fontsize="x-small" if len(place) > 12 else "small")
    if own["statistic"].iloc[0] != "mean":  # all others cannot be negative, whatever Student's t says
        top = max(ax.get_ylim()[1], FLAT)
        ax.set_ylim(-0.03 * top, min(top, 1.05) if own["statistic"].iloc[0] == "share" else top)
    return ax


def _ours(ours: pd.DataFrame) -> str:
    """Who the marks are; no interval is claimed where there is none."""
    least, most = int(ours["n"].min()), int(ours["n"].max())
    what = "mean and 95 % interval over seeds" if ours["low"].notna().any() else "mean over seeds"
    return f"this sweep, {what} (n = {least}" + (f" to {most})" if most > least else ")")


def _by_name(own: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, curve in own[own["name"] != "all"].groupby("name", sort=False):
        yield str(name), curve


def _line(place: int, points: int) -> dict[str, Any]:
    """How a class's line looks; each class is marked at channels of its own, so that no marker hides another."""
    (color, line, marker), step = STYLES[place % len(STYLES)], max(1, points // MARKS)
    known = {"color": color, "linestyle": line, "linewidth": 1.1}
    return known | {"marker": marker, "markersize": 4, "markevery": (place * step // 4 % step, step)}


def _sheets(sheets: Sequence[Sheet], panel: Panel) -> Figure:
    """A sheet below the other, each with its title and legend."""
    heights = [PANEL * -(-sheet.curves["block"].nunique() // ACROSS) + AROUND for sheet in sheets]
    with _style():
        figure = Figure(figsize=(10.5, sum(heights)), layout="constrained")
        parts = figure.subfigures(len(sheets), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, sheet in zip(parts, sheets, strict=True):
            _sheet(part, sheet, panel)
    return figure


def _sheet(part: SubFigure, sheet: Sheet, panel: Panel) -> SubFigure:
    blocks = list(sheet.curves.groupby("block", sort=False))
    for ax, (name, own) in zip(_axes(part, len(blocks)), blocks, strict=True):
        panel(own, ax).set_title(f"{name}", loc="left", fontweight="bold")
        ax.set_xmargin(0.02)
        if sheet.limits:
            ax.set_ylim(*sheet.limits)  # cuts the bands, too, as in the paper
    part.suptitle(sheet.title, x=0.01, ha="left")
    _labels(part, "channel index (from 0)", "activation")
    _legend(part)
    return part


def _labels(part: SubFigure, along: str, up: str) -> None:
    """On the lowest panel of each column, and on the first of each row."""
    drawn = [ax for ax in part.axes if ax.axison]
    for ax in drawn[-ACROSS:]:
        ax.set_xlabel(along)
    for ax in drawn[::ACROSS]:
        ax.set_ylabel(up)


def _axes(part: SubFigure, panels: int, share: bool = True) -> list[Axes]:
    """So many axes in rows of three; the rest of the last row is left blank."""
    axes = part.subplots(-(-panels // ACROSS), min(ACROSS, panels), sharey=share, squeeze=False)
    for ax in axes.flat:
        sns.despine(ax=ax)
    for ax in axes.flat[panels:]:
        ax.set_axis_off()
    return list(axes.flat[:panels])


def _legend(part: SubFigure) -> None:
    """Below the panels, each thing once; a line and a band of one name share their key."""
    keys: dict[str, list[Artist]] = {}
    for handle, label in zip(*part.axes[0].get_legend_handles_labels(), strict=True):
        keys.setdefault(label, []).append(handle)
    keys = dict(sorted(keys.items(), key=lambda key: key[0] == PAPER))  # ours first; bars would come last
    handles: list[Any] = [tuple(parts) if len(parts) > 1 else parts[0] for parts in keys.values()]
    part.legend(
        handles, list(keys), loc="outside lower center", ncols=9, frameon=False, handlelength=3.5, columnspacing=1.2
    )


@contextmanager
def _style() -> Iterator[None]:
    """Fonts embedded as text, sizes for print; the caller's own settings come back afterwards."""
    settings = sns.plotting_context("paper") | sns.axes_style("ticks") | {"pdf.fonttype": 42, "hatch.linewidth": 0.4}
    with mpl.rc_context(settings):
        yield
