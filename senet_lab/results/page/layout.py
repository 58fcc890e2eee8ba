"""What a page is made of, as data: `page.html.j2` draws each kind in one way, and escapes all of it.

Text is a plain string; what is HTML already has to say so, as `markupsafe.Markup`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd


@dataclass(frozen=True)
class Text:
    """Paragraphs, or the points of a list."""

    kind: ClassVar[str] = "text"
    paragraphs: tuple[str, ...]
    points: bool = False


@dataclass(frozen=True)
class Facts:
    """What, and how it is."""

    kind: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, str], ...]
    short: bool = False
    """All of few words: set in two columns where there is room."""


@dataclass(frozen=True)
class Table:
    """A frame of text. On a narrow screen it scrolls in its own box, or a line becomes a card if it is `stacked`."""

    kind: ClassVar[str] = "table"
    frame: pd.DataFrame
    caption: str = ""
    stacked: bool = False
    links: Mapping[str, str] = field(default_factory=dict)
    """First cell of a line -> anchor that the line gets."""
    left: tuple[str, ...] = ()
    """Columns of words besides the first."""


@dataclass(frozen=True)
class Picture:
    """A figure as SVG text, width and height in its own units."""

    kind: ClassVar[str] = "picture"
    name: str
    title: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Code:
    """What to type, a line a command."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Folded:
    """What only some want to see; printed all the same."""

    kind: ClassVar[str] = "folded"
    title: str
    blocks: tuple["Block", ...]


@dataclass(frozen=True)
class Paste:
    """Text made to be taken elsewhere: an item of a form, the answer, the words."""

    kind: ClassVar[str] = "paste"
    title: str
    answer: str
    text: str


@dataclass(frozen=True)
class Copy:
    """All of it in one field, to be selected and copied."""

    kind: ClassVar[str] = "copy"
    title: str
    text: str


Block = Text | Facts | Table | Picture | Code | Folded | Paste | Copy


@dataclass(frozen=True)
class Section:
    """A part of the page with a line in its table of contents."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]
