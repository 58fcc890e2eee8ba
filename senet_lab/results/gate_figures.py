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
    "spread": "spread of classes: max - min of their means",
    "share": "share of variance that is between classes",
    "within": "sd within a class",
    "mean": "mean gate",
    "near_one": "share of channels within 0.1 of one",
    "near_zero": "share of channels within 0.1 of nought",
}
TITLE = 34  # characters in a line


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
    ax.plot(every["channel"], every["mean"], color="0.65", linewidth=3.5, label="all classes", zorder=1)
    for style, (name, curve) in zip(STYLES, _by_name(own), strict=False):
        ax.plot(curve["channel"], curve["mean"], label=name, **_line(style, len(curve)))
    return ax


def class_bands(own: pd.DataFrame, ax: Axes) -> Axes:
    """One block: a line and a band a class; the second is hatched."""
    for style, hatch, (name, curve) in zip(STYLES, HATCHES, _by_name(own), strict=False):
        look = {"facecolor": (*style[0], 0.25), "edgecolor": (*style[0], 0.6), "hatch": hatch, "linewidth": 0.5}
        low, high = curve["mean"] - curve["sd"], curve["mean"] + curve["sd"]
        ax.fill_between(curve["channel"], low, high, label=f"{name}, mean and one sd", **look)
        ax.plot(curve["channel"], curve["mean"], label=f"{name}, mean and one sd", **_line(style, len(curve)))
    return ax


def seeds(profiles: pd.DataFrame, summary: pd.DataFrame, title: str, note: str) -> Figure:
    """Sorted gates of the shown blocks, then each order-free number over all blocks; mean and interval over seeds.

    `profiles`: `source` ("ours" or "paper"), `block`, `at`, `n`, `mean`, `low`, `high`. `summary`: the same
    with `statistic` instead of `at`.
    """
    names = profiles.loc[profiles["source"] == "ours", "block"].unique()
    rows = -(-len(names) // ACROSS)
    heights = [PANEL * rows + AROUND, 2 * (PANEL + 0.5) + AROUND]
    with _style():
        figure = Figure(figsize=(10.5, sum(heights)), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=heights)
        for ax, name in zip(_axes(upper, len(names)), names, strict=False):
            sorted_gates(profiles[profiles["block"] == name], ax).set_title(name, loc="left", fontweight="bold")
        upper.suptitle(title, x=0.01, ha="left")
        upper.supxlabel("share of channels, sorted by their mean gate", fontsize="medium")
        upper.supylabel("activation, all classes", fontsize="medium")
        for ax, (statistic, text) in zip(_axes(lower, len(STATISTICS), share=False), STATISTICS.items(), strict=True):
            by_depth(summary[summary["statistic"] == statistic], ax)
            ax.set_title("\n".join(textwrap.wrap(text, TITLE)), loc="left", fontweight="bold")
        lower.suptitle("\n".join(textwrap.wrap(note, 130)), x=0.01, ha="left", fontsize="medium")
        _legend(lower)
    return figure


def sorted_gates(own: pd.DataFrame, ax: Axes) -> Axes:
    """One block: the sorted means, with their interval over seeds; the paper's block of that name."""
    ours, paper = own[own["source"] == "ours"], own[own["source"] == "paper"]
    ax.plot(ours["at"], ours["mean"], color=BLUE)
    ax.fill_between(ours["at"], ours["low"], ours["high"], color=BLUE, alpha=0.25, linewidth=0)
    ax.plot(paper["at"], paper["mean"], color=ORANGE, linestyle="--")
    return ax


def by_depth(own: pd.DataFrame, ax: Axes) -> Axes:
    """One number over the blocks by depth; the paper's blocks behind a line, as they are another network's."""
    ours, paper = own[own["source"] == "ours"], own[(own["source"] == "paper") & own["mean"].notna()]
    place = list(range(len(ours)))
    ends = [(ours["mean"] - ours["low"]).to_numpy(), (ours["high"] - ours["mean"]).to_numpy()]
    ax.plot(place, ours["mean"], color=BLUE, alpha=0.35)
    label = f"this sweep, mean and 95 % interval over seeds (n = {ours['n'].max()})"
    ax.errorbar(place, ours["mean"], ends, fmt="o", color=BLUE, markersize=4, capsize=2.5, label=label)
    labels = ours["block"].tolist()
    if len(paper):
        behind = [len(ours) + 0.5 + i for i in range(len(paper))]
        ax.axvline(len(ours) - 0.25, color="0.6", linewidth=0.8)
        look = {"linestyle": ":", "marker": "s", "markerfacecolor": "white", "color": ORANGE}
        ax.plot(behind, paper["mean"], label="paper, SE-ResNet-50 on ImageNet (n = 1)", **look)
        place, labels = place + behind, labels + paper["block"].tolist()
    ax.set_xticks(place, labels, rotation=90, fontsize="x-small" if len(place) > 12 else "small")
    return ax


def _by_name(own: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, curve in own[own["name"] != "all"].groupby("name", sort=False):
        yield str(name), curve


def _line(style: tuple[Any, Any, str], points: int) -> dict[str, Any]:
    color, line, marker = style
    return {
        "color": color,
        "linestyle": line,
        "linewidth": 1.1,
        "marker": marker,
        "markersize": 3.8,
        "markevery": max(1, points // 8),
    }


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
    part.supxlabel("channel index (from 0)", fontsize="medium")
    part.supylabel("activation", fontsize="medium")
    _legend(part)
    return part


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
    handles: list[Any] = [tuple(parts) if len(parts) > 1 else parts[0] for parts in keys.values()]
    part.legend(handles, list(keys), loc="outside lower center", ncols=5, frameon=False, handlelength=3.5)


@contextmanager
def _style() -> Iterator[None]:
    """Fonts embedded as text, sizes for print; the caller's own settings come back afterwards."""
    settings = sns.plotting_context("paper") | sns.axes_style("ticks") | {"pdf.fonttype": 42, "hatch.linewidth": 0.4}
    with mpl.rc_context(settings):
        yield
