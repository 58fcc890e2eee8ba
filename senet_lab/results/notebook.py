"""What a notebook's cell shows of a report and of a pair of rows."""

from dataclasses import dataclass
from html import escape

import pandas as pd

from senet_lab.results import prose
from senet_lab.results.pair import Pair


@dataclass(frozen=True, repr=False)
class Compared:
    """A pair of rows, and what to say of it."""

    pair: Pair
    sentence: str

    def __repr__(self) -> str:
        n = int(self.pair.difference["n"])
        return f"<{self.pair.a} - {self.pair.b}: {self.pair.verdict}, {n} common seed{'s' * (n != 1)}>"

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        parts = [html(prose.facts(self.pair))]
        if (classes := prose.classes(self.pair)) is not None:
            parts.append(html(classes))
        return page(
            f"{self.pair.a} - {self.pair.b}", self.sentence, *parts, f"<p>{escape(prose.mcnemar(self.pair))}</p>"
        )


def html(frame: pd.DataFrame) -> str:
    """A frame of text as a table; whatever stands in it is text."""
    return frame.to_html(index=False, border=0, justify="left")


def page(title: str, text: str, *parts: str) -> str:
    """A heading, a paragraph, and parts that are HTML already."""
    return f"<h3>{escape(title)}</h3><p>{escape(text)}</p>{''.join(parts)}"
