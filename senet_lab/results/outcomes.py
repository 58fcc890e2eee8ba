"""What came of candidates, counted, in words: what a number of them counts, and what it leaves out."""

import pandas as pd

from senet_lab.results.studies import Tried

WORDS = {"done": "trained to {its} end", "stopped": "stopped early", "failed": "failed"}
WORDS |= {"over a limit": "over a limit", "repeated": "repeated", "not yet": "not trained"}
"""Outcome of a candidate, after its number; in the order in which they are told."""


def told(tried: Tried) -> str:
    """Of all that were asked for: "2 trained to their end, 6 stopped early"; "" where all were trained to their end."""
    found = _found(tried)
    return _said(found, list(WORDS)) if set(found.index) - {"done"} else ""


def besides(tried: Tried) -> str:
    """As `told`, of those alone that were not trained to their end: "6 stopped early"."""
    return _said(_found(tried), [what for what in WORDS if what != "done"])


def to_their_end(tried: Tried, number: str) -> str:
    """So many candidates as figures have them: "24 candidates", or where there were others, which ones these are."""
    one = number == "1"
    noun = f"{number} candidate{'s' * (not one)}"
    if not (others := besides(tried)):
        return noun
    return f"{noun} that {'was trained to its' if one else 'were trained to their'} end (besides {others})"


def _found(tried: Tried) -> "pd.Series[int]":
    return tried.candidates["outcome"].value_counts()


def _said(found: "pd.Series[int]", outcomes: list[str]) -> str:
    counts = [(int(found.get(what, 0)), WORDS[what]) for what in outcomes]
    return ", ".join(f"{n:,} {text.format(its='its' if n == 1 else 'their')}" for n, text in counts if n)
