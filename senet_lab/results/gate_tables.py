"""Tables of gates for people: blocks of one row, and the paper's statements of every row; what their numbers mean.

Gates have no unit and stay what they are: numbers between 0 and 1, never percent.
"""

import math
from typing import Any

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

HEADS = {
    "mean": "mean gate",
    "spread": "spread of classes",
    "share": "between share",
    "within": "sd within class",
    "near_one": "near 1",
    "near_zero": "near 0",
}
LEFT = ("block", "row", "statement", "verdict")
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
    """A line per row of the sweep and statement, beside the paper's number."""
    lines = [
        {
            "row": row["variant"],
            "statement": row["text"],
            "n": f"{row['n']}",
            "mean [95 % CI]": number(row["mean"], row["low"], row["high"]),
            "paper": number(row["paper"]),
            "verdict": row["verdict"] if row["n"] else "no number",
        }
        for _, row in claims.iterrows()
    ]
    return pd.DataFrame(lines, columns=["row", "statement", "n", "mean [95 % CI]", "paper", "verdict"], dtype="str")


def number(middle: float, low: float = math.nan, high: float = math.nan) -> str:
    """Three digits behind the point, the interval in brackets; - for none."""
    if math.isnan(middle):
        return "-"
    ends = "" if math.isnan(low) else f" [{_digits(low)}, {_digits(high)}]"
    return f"{_digits(middle)}{ends}"


def _digits(value: float) -> str:
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text


def block_caption(classes: list[str], images: int) -> str:
    """What the columns of `block_frame` are."""
    return (
        f"Gates over the test images, mean and 95 % Student-t interval over n seeds. mean gate, near 1, near 0: of each "
        f"channel's mean over all images; near: the share of channels within 0.1. spread of classes: max - min over "
        f"the class means of {', '.join(classes)} (about {images:,} images each), mean over channels. between share: "
        f"of the variance over images, the part between classes (eta squared), mean over channels. sd within class: "
        f"mean over channels and classes. {ORDER_FREE}"
    )


def claim_caption(claims: pd.DataFrame) -> str:
    """What the numbers and verdicts of `claim_frame` are."""
    ends = " and ".join(dict.fromkeys(f"{row['first']} to {row['last']}" for _, row in claims.iterrows()))
    return (
        f"Statements of arXiv:1709.01507v4 section 7.2 as one number of a trial; blocks {ends}. Holds: the interval over "
        "seeds lies above 0, or of channels near 1 above a half; does not hold: below; each by itself. "
        "Paper: the same number from its Figs. 6 and 7, one SE-ResNet-50 on ImageNet (n = 1)."
    )


def terminal(frame: pd.DataFrame, title: str, caption: str) -> Table:
    """Either table in 80 columns: intervals below their means, a row's name once."""
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.padding, table.title_justify, table.caption_justify = (0, 1, 0, 0), "left", "left"
    for name in frame.columns:
        folds = name in ("row", "statement") or name in HEADS.values()
        table.add_column(escape(name.replace(" [", "\n[")), justify=_justify(name), no_wrap=not folds, overflow="fold")
    before = None
    for cells in frame.to_dict("records"):
        lines = {name: escape(str(cell).replace(" [", "\n[").replace(", ", ",\n")) for name, cell in cells.items()}
        lines |= {name: escape(cells[name].replace(" [", "\n[")) for name in ("row", "statement") if name in cells}
        first = next(iter(cells.values()))
        if "verdict" in cells:
            lines["verdict"] = f"[{STYLES.get(cells['verdict'], 'dim')}]{cells['verdict']}[/]"
            lines["row"] = "" if first == before else lines["row"]
            if before not in (None, first):
                table.add_section()
        before = first
        table.add_row(*lines.values())
    return table


def _justify(name: str) -> Any:
    return "left" if name in LEFT else "right"
