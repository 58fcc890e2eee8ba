"""What the parts of the benchmark share: timing in turn, ratios with their spread, goals, and a part's page."""

import argparse
import json
import os
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Samples = dict[str, list[float]]
"""By way, a number of each round."""


class CannotRun(Exception):
    """This machine lacks what a part needs; the message says what."""


@dataclass(frozen=True)
class Goal:
    """What a ratio should be."""

    sense: Literal["<=", ">="]
    bound: float

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:.2f}"

    def met(self, ratio: float) -> bool:
        return ratio <= self.bound if self.sense == "<=" else ratio >= self.bound


@dataclass(frozen=True)
class Row:
    """One comparison, a ratio a round, or one number without a comparison."""

    what: str
    ours: str
    other: str = ""
    ratios: list[float] = field(default_factory=list)
    goal: Goal | None = None
    remark: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        """By the median; "spread straddles" where some rounds would have said the opposite."""
        if self.goal is None or not self.ratios:
            return ""
        said = "met" if self.goal.met(self.median) else "missed"
        others = {self.goal.met(r) for r in (min(self.ratios), max(self.ratios))}
        return f"{said} (spread straddles)" if len(others) == 2 else said

    def cells(self) -> tuple[str, ...]:
        """As the tables show it: see `COLUMNS`."""
        ratio = spread = ""
        if self.ratios:
            ratio = f"{self.median:.3f}"
        if len(self.ratios) > 1:
            spread = f"{min(self.ratios):.3f} - {max(self.ratios):.3f}"
        goal = "" if self.goal is None else str(self.goal)
        n = str(len(self.ratios) or "")
        return (self.what, self.ours, self.other, ratio, spread, n, goal, self.verdict, self.remark)


@dataclass
class Part:
    """A table and what has to be known to read it."""

    title: str
    ratio: str
    """What is divided by what."""
    ours: str = "ours"
    other: str = "plain"
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)
    cannot: str = ""
    """Why it could not run here."""
    busy: list[float] = field(default_factory=list)
    """Cores that others kept busy, before and after."""
    seconds: float = 0.0

    def columns(self) -> tuple[str, ...]:
        return ("what", self.ours, self.other, "ratio", "min - max", "n", "goal", "verdict", "remark")

    def markdown(self) -> str:
        """A section of the page."""
        lines = [f"## {self.title}", ""]
        if self.cannot:
            lines += [f"Not measured here{', or not to the end' if self.rows else ''}: {self.cannot}", ""]
        if not self.rows:
            return "\n".join(lines)
        table = [self.columns(), *(row.cells() for row in self.rows)]
        kept = [i for i in range(len(table[0])) if i == 0 or any(cells[i] for cells in table[1:])]
        shown = [[cells[i].replace("|", "\\|") for i in kept] for cells in table]
        rules = ["---" if i == 0 else "---:" for i in kept]
        lines += [f"| {' | '.join(cells)} |" for cells in (shown[0], rules, *shown[1:])]
        if self.ratio:
            lines += ["", f"Ratio: {self.ratio}; the median of n rounds, and the smallest and largest of them."]
        lines += ["", *(f"- {note}" for note in self.notes)]
        busy = " and ".join(f"{cores:.1f}" for cores in self.busy)
        lines += [f"- {self.seconds:.0f} s; cores that others kept busy before and after: {busy}.", ""]
        return "\n".join(lines)


def in_turn(ways: Mapping[str, Callable[[], float]], rounds: int, say: str = "") -> Samples:
    """What each way measures in each round; every other round backwards, so that a drift favours none."""
    found: Samples = {name: [] for name in ways}
    for number in range(rounds):
        names = list(ways) if number % 2 == 0 else list(ways)[::-1]
        for name in names:
            found[name].append(ways[name]())
        if say:
            progress(f"{say}: round {number + 1} of {rounds}")
    return found


def clocked(work: Callable[[], object], device: str = "cpu", times: int = 1) -> Callable[[], float]:
    """Seconds of one of `times` calls in a row; one call before any is timed."""
    wait = _wait(device)
    work()

    def seconds() -> float:
        wait()
        start = time.perf_counter()
        for _ in range(times):
            work()
        wait()
        return (time.perf_counter() - start) / times

    return seconds


def _wait(device: str) -> Callable[[], object]:
    if device != "cuda":
        return lambda: None
    import torch

    return torch.cuda.synchronize


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]


def fastest(samples: Samples, names: Sequence[str]) -> str:
    """The way of `names` with the smallest median."""
    return min(names, key=lambda name: statistics.median(samples[name]))


def text(samples: Sequence[float], unit: str = "s") -> str:
    """The median with its unit; a unit that ends in "/s" is of amounts a second."""
    middle = statistics.median(samples)
    if unit == "s" and middle < 1:
        return f"{1000 * middle:.3g} ms"
    return f"{middle:,.0f} {unit}" if middle >= 1000 else f"{middle:.3g} {unit}"


def busy_of_others(seconds: float = 1.0) -> float:
    """Cores that are busy while this process sleeps."""
    before, start = _busy_ticks(), time.perf_counter()
    time.sleep(seconds)
    ticks = _busy_ticks() - before
    return ticks / os.sysconf("SC_CLK_TCK") / (time.perf_counter() - start)


def _busy_ticks() -> int:
    """User, nice, system, interrupts and what other machines stole; 0 where there is no /proc."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return 0
    user, nice, system, _idle, _wait, irq, softirq, steal = (int(f) for f in fields[:8])
    return user + nice + system + irq + softirq + steal


def progress(words: str) -> None:
    print(f"  {words}", file=sys.stderr, flush=True)


def options(about: str) -> argparse.ArgumentParser:
    """Those that all parts have."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small and few: to see that it works, not how fast")
    parser.add_argument("--rounds", type=int, help="how often each way is timed")
    parser.add_argument("--json", type=Path, help="write the part there")
    return parser


def main(parser: argparse.ArgumentParser, measure: Callable[[Any, Part], None], part: Part) -> None:
    """Let `measure` fill `part`, then print it and write it down."""
    chosen = parser.parse_args()
    start = time.perf_counter()
    part.busy.append(busy_of_others())
    try:
        measure(chosen, part)
    except CannotRun as why:
        part.cannot = str(why)
    except Exception as error:
        traceback.print_exc()
        part.cannot = f"it failed: {type(error).__name__}: {str(error).strip()[:300]}"
    part.busy.append(busy_of_others())
    part.seconds = time.perf_counter() - start
    if chosen.json:
        chosen.json.write_text(json.dumps(asdict(part)), encoding="utf-8")
    else:
        print(part.markdown())


def read(path: Path) -> Part:
    """A part that `main` has written."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    rows = [Row(**{**row, "goal": Goal(**row["goal"]) if row["goal"] else None}) for row in facts.pop("rows")]
    return Part(rows=rows, **facts)
