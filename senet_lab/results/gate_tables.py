"""Tables of gates for people: blocks of one row, and the paper's statements of every row; what their numbers mean.

Gates have no unit and stay what they are: numbers between 0 and 1, never percent.
"""

import math
from typing import Literal

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

from senet_lab.results.selectivity import NEAR

HEADS = {
    "mean": "mean gate",
    "spread": "spread of classes",
    "share": "between share",
    "within": "sd within class",
    "near_one": "near 1",
    "near_zero": "near 0",
}
LEFT = ("block", "row", "statement", "verdict")
NO_CLAIM = "no claim"
STYLES = {"holds": "green", "does not hold": "red", "undecided": "yellow"}
ORDER_FREE = (
    "Channels are not averaged over seeds: each seed has like channels in another order, so the mean at a channel's "
    "index would mean nothing. What is compared does not depend on their order."
)


def block_frame(summary: pd.DataFrame, paper: pd.DataFrame | None) -> pd.DataFrame:
    """A line per block of one row's `summary` in words, then the paper's: numbers of `excitation.over_seeds`."""
    lines = []
    for block, own in summary.groupby("block", sort=False):
        cells = {row["statistic"]: number(row["mean"], row["low"], row["high"]) for _, row in own.iterrows()}
        lines.append({"block": str(block), "n": str(own["n"].max())} | {HEADS[name]: cells[name] for name in HEADS})
    for _, row in () if paper is None else paper.iterrows():
        cells = {HEADS[name]: number(row[name]) for name in HEADS}
        lines.append({"block": f"paper {row['block']}", "n": "1"} | cells)
    return pd.DataFrame(lines, columns=["block", "n", *HEADS.values()], dtype="str")


def claim_frame(claims: pd.DataFrame) -> pd.DataFrame:
    """A line per row of the sweep and statement that its network has a number for, beside the paper's number."""
    lines = [
        {
            "row": row["variant"],
            "statement": row["text"],
            "n": f"{row['n']}",
            "mean ±95 %": number(row["mean"], row["low"], row["high"]),
            "paper": number(row["paper"]),
            "verdict": row["verdict"] or NO_CLAIM,
        }
        for _, row in claims[claims["n"] > 0].iterrows()
    ]
    return pd.DataFrame(lines, columns=["row", "statement", "n", "mean ±95 %", "paper", "verdict"], dtype="str")


def number(middle: float, low: float = math.nan, high: float = math.nan) -> str:
    """Three digits behind the point, and half the interval, which is as long on either side; - for none."""
    if math.isnan(middle):
        return "-"
    return _digits(middle) + ("" if math.isnan(low) else f" ±{_digits((high - low) / 2)}")


def _digits(value: float) -> str:
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text


def block_caption(classes: list[str], images: int) -> str:
    """What the columns of `block_frame` are."""
    return (
        "Gates over the test images: mean over n seeds ± half of its 95 % Student-t interval. mean gate, near 1, near "
        f"0: of each channel's mean over all images; near: the share of channels within {NEAR:g}. spread of classes: "
        f"max - min over the class means of {', '.join(classes)} (about {images:,} images each), mean over channels. "
        "between share: of the variance over images, the part between classes (eta squared), mean over channels, "
        "of the seeds whose block moves at all. "
        f"sd within class: mean over channels and classes. {ORDER_FREE}"
    )


def claim_caption(claims: pd.DataFrame) -> str:
    """What the numbers and verdicts of `claim_frame` are."""
    ends = " and ".join(dict.fromkeys(f"{row['first']} to {row['last']}" for _, row in claims.iterrows()))
    equal = (claims["n"] > 1) & claims["low"].isna()
    sentences = (
        f"Statements of arXiv:1709.01507v4 section 7.2 as one number of a trial: mean over n seeds ± half of its 95 % "
        f"Student-t interval; first to last: {ends}. Holds: the interval lies above 0, of |1 - gate| below "
        f"{NEAR:g}; does not hold: on the other side; each by itself.",
        "sd between: of the shown classes' means, without what the sampling of their images adds to it (the spread "
        "between them contains it).",
        f"{NO_CLAIM.capitalize()}: a number to read beside the paper's, of which it says nothing to hold or not."
        if (claims["above"].isna() & claims["below"].isna() & (claims["n"] > 0)).any()
        else "",
        "No interval: all seeds have the same number; six or more of them decide by the sign test."
        if equal.any()
        else "",
        "Left out: what takes three blocks, or two of the last stage." if (claims["n"] == 0).any() else "",
        "Paper: the same number from its Figs. 6 and 7 (- where they do not tell it), one SE-ResNet-50 on ImageNet "
        "(n = 1).",
    )
    return " ".join(s for s in sentences if s)


def terminal(frame: pd.DataFrame, title: str, caption: str) -> Table:
    """Either table in 80 columns: blocks, with intervals below their means, or statements, below their row's name."""
    names = [name for name in frame.columns if name != "row"]
    wide = "row" in frame.columns
    table = Table(title=escape(title), caption=escape(caption), box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.padding, table.title_justify, table.caption_justify = (0, 1, 0, 0), "left", "left"
    for name in names:
        table.add_column(escape(name), justify=_justify(name), no_wrap=name not in HEADS.values())
    before = None
    for _, line in frame.iterrows():
        if wide and line["row"] != before:
            before = line["row"]
            table.add_row(f"[bold]{escape(before)}[/]")
        cells = [escape(line[name]) if wide else escape(line[name].replace(" ±", "\n±")) for name in names]
        if wide:
            cells[-1] = f"[{STYLES.get(line['verdict'], 'dim')}]{cells[-1]}[/]"
        table.add_row(*cells)
    return table


def _justify(name: str) -> Literal["left", "right"]:
    return "left" if name in LEFT else "right"
