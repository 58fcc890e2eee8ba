"""Tables for people: the only place, besides figures, where an error becomes a percentage.

Two frames come from `stats`' summary and comparison: `report_frame` in words and percent for a
terminal or a page, and `full_frame` in fractions with every statistic for a CSV.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from senet_lab.results.stats import interval_name, uncompared, verdict_text

OURS = "this sweep"
ERROR = "test error % [95 % CI]"
DIFFERENCE = "Δ points [joint 95 %]"  # of several comparisons; see `difference_heading`
LEFT: tuple[str, ...] = ("variant", "verdict", "sign", "reference", "entry", "to", "row here", "note", "item")
LEFT += ("v4", "CVPR", OURS, "block", "row", "statement", "chosen", "settings", "outcome")
STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "undecided": "yellow"}
STYLES |= {"agrees": "green", "opposite": "red"}
NARROW = 80  # columns that every table here fits into
WORD = 10  # "undecided:", the longest word of a verdict
VERDICT = 19  # columns in which a verdict takes two lines
LONGEST_LABEL = 24  # longer ones are folded
STATES = ("done", "failed", "running", "wanted")


def report_frame(summary: pd.DataFrame, comparison: pd.DataFrame) -> pd.DataFrame:
    """The table of a sweep as text, a line per row; a baseline has no difference and says so."""
    compared, heading = {row["variant"]: row for _, row in comparison.iterrows()}, difference_heading(comparison)
    lines = []
    for _, row in summary.iterrows():
        label = row["variant"]
        difference, verdict = "-", uncompared(label, comparison)
        if (found := compared.get(label)) is not None:
            difference = _difference(found, row["n"])
            verdict = verdict_text(found)
        lines.append(_own(row) | {heading: difference, "verdict": verdict})
    return pd.DataFrame(lines, dtype="str")


def difference_heading(comparison: pd.DataFrame) -> str:
    """Of the column with differences: their intervals are joint where there are several."""
    return f"Δ points [{interval_name(comparison)}]"


def full_frame(summary: pd.DataFrame, comparison: pd.DataFrame) -> pd.DataFrame:
    """Summary and comparison side by side, fractions and seconds, unrounded."""
    compared = comparison.astype(
        {"n_pairs": "Int64", "family": "Int64", "within_margin": "boolean"}
    )  # a baseline has none
    return summary.drop(columns="order", errors="ignore").merge(compared, how="left", on="variant")


def terminal(frame: pd.DataFrame, title: str, caption: str, width: int = NARROW) -> Table:
    """`report_frame` for a terminal of `width` columns.

    Where it is narrow, intervals stand below their means, and costs are left out before anything
    else is cut: `plan` and table.md have them.
    """
    roomy = _needed(frame, " [") <= width
    for cost in ("mult-adds", "params"):
        if _needed(frame, "\n[") > width:
            frame = frame.drop(columns=cost, errors="ignore")
    frame = frame.assign(**{c: [fold(label, LONGEST_LABEL) for label in frame[c]] for c in ("variant",) if c in frame})
    *names, last = frame.columns
    table = _table(title, caption)
    for name in names:
        table.add_column(escape(name.replace(" [", "\n[")), justify=_justify(name), no_wrap=True, overflow="fold")
    table.add_column(last, justify=_justify(last))
    for *cells, verdict in frame.itertuples(index=False):
        style = STYLES.get(verdict.partition(" ")[0].rstrip(":"), "dim")
        lines = [escape(cell if roomy else cell.replace(" [", "\n[")) for cell in cells]
        table.add_row(*lines, f"[{style}]{escape(verdict)}[/]")
    return table


def _longest(frame: pd.DataFrame, name: str, bracket: str) -> int:
    """Columns that a cell or the header takes, with `bracket` where an interval begins."""
    lines = [line for cell in frame[name] for line in cell.replace(" [", bracket).split("\n")]
    return max(map(len, [*lines, *name.split(" [")]), default=0)


def _needed(frame: pd.DataFrame, bracket: str) -> int:
    """Columns of a terminal that the table takes at least; a long label is folded, a verdict wrapped."""
    *names, _ = frame.columns
    longest = {name: _longest(frame, name, bracket) for name in names}
    longest["variant"] = min(longest["variant"], LONGEST_LABEL)
    return sum(longest.values()) + 2 * len(names) + (VERDICT if bracket == " [" else WORD)


def markdown(frame: pd.DataFrame, title: str, caption: str) -> str:
    """`report_frame`, or any other frame of text, as a Markdown section."""
    lines = [
        list(frame.columns),
        ["---:" if _justify(c) == "right" else "---" for c in frame.columns],
        *frame.to_numpy().tolist(),
    ]
    body = "\n".join("| " + " | ".join(str(c).replace("|", "\\|") for c in line) + " |" for line in lines)
    return f"## {title}\n\n{body}\n\n{caption}\n"


def live(rows: pd.DataFrame, counts: Mapping[str, Mapping[str, int]], summary: pd.DataFrame) -> Table:
    """Progress of a sweep: per row how many trials are done, failed, running and wanted, and the error so far.

    `counts` is label -> state -> trials; `rows` and `summary` as of `load.rows` and `stats.summarise`.
    """
    table = _table("", "")
    table.add_column("variant")
    for state in STATES:
        table.add_column(state, justify="right")
    table.add_column(escape(ERROR), justify="right", no_wrap=True)
    means = {row["variant"]: interval(row["mean"], row["ci_low"], row["ci_high"]) for _, row in summary.iterrows()}
    for label, wanted in zip(rows["variant"], rows["wanted"], strict=True):
        found = counts.get(label, {})
        done, failed, running = (found.get(state, 0) for state in STATES[:3])
        style = "red" if failed else "green" if done >= wanted else ""
        cells = (str(done), f"{failed or '-'}", f"{running or '-'}", str(wanted), means.get(label, "-"))
        table.add_row(*map(escape, (fold(label, LONGEST_LABEL), *cells)), style=style)
    return table


def count(number: Any) -> str:
    """A number of parameters or multiply-adds: exact below ten million, then three digits with a unit."""
    if pd.isna(number):
        return "-"
    for unit, size in (("G", 1e9), ("M", 1e6)):
        if number >= max(size, 1e7):
            return f"{number / size:.3g} {unit}"
    return f"{int(number):,}"


def _own(row: "pd.Series[Any]") -> dict[str, str]:
    """The cells that a row fills without being compared."""
    return {
        "variant": row["variant"],
        "params": count(row["params"]),
        "mult-adds": count(row["macs"]),
        "n": trials(row),
        ERROR: interval(row["mean"], row["ci_low"], row["ci_high"]),
    }


def trials(row: "pd.Series[Any]") -> str:
    """How many trials a row's numbers are of, and of how many wanted where some are missing."""
    return f"{row['n']}" if row["n"] == row["wanted"] else f"{row['n']}/{row['wanted']}"


def _difference(found: "pd.Series[Any]", n: int) -> str:
    """With its own n, where that is not the row's: seeds that the baseline has not."""
    text = interval(found["delta"], found["delta_low"], found["delta_high"], "+")
    if found["n_pairs"] in (0, n):
        return text
    middle, bracket, ends = text.partition(" [")
    return f"{middle} (n={found['n_pairs']}){bracket}{ends}"


def fold(label: str, width: int) -> str:
    """`label` in lines of at most `width` characters that end behind a comma or blank, else = - _ / : + or a dot."""
    lines = [""]
    for setting in re.findall(r"[^, ]*[, ]+|[^, ]+", label):
        fits = len(setting.rstrip()) <= width
        for part in [setting] if fits else re.findall(r"[^=\-_/:+.]*[=\-_/:+.]|[^=\-_/:+.]+", setting):
            for word in (part[i : i + width] for i in range(0, len(part.rstrip()), width)):
                if len(lines[-1] + word.rstrip()) > width:
                    lines.append("")
                lines[-1] += word
    return "\n".join(line.rstrip() for line in lines)


def interval(middle: float, low: float, high: float, sign: str = "") -> str:
    """Fractions as percent; no bracket where there is no interval."""
    if math.isnan(middle):
        return "-"
    ends = "" if math.isnan(low) else f" [{100 * low:{sign}.2f},{100 * high:{sign}.2f}]"
    return f"{100 * middle:{sign}.2f}{ends}"


def if_any(frame: pd.DataFrame, title: str, caption: str, width: int = NARROW) -> Table | Text:
    """As `terminal`; of a frame without lines, the caption alone."""
    return terminal(frame, title, caption, width) if len(frame) else Text(caption)


def _justify(name: str) -> Literal["left", "right"]:
    return "left" if name in LEFT else "right"


def _table(title: str, caption: str) -> Table:
    return Table(
        title=escape(title) or None,
        caption=escape(caption) or None,
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title_justify="left",
        caption_justify="left",
    )
