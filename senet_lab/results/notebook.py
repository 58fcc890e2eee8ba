"""What a notebook's cell shows of a report and of a pair of rows."""

from dataclasses import dataclass
from html import escape

import pandas as pd

from senet_lab.results import prose
from senet_lab.results.pair import Pair


@dataclass(frozen=True)
class Compared:
    """A pair of rows, and what to say of it."""

    pair: Pair
    sentence: str

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
