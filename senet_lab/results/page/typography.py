"""Text of reports as HTML: what is `code` in them, minus signs, places where a heading may break. Escapes the rest."""

import re

from markupsafe import Markup, escape

MINUS = "\N{MINUS SIGN}"
CODE = re.compile(r"`([^`\n]+)`")
INTERVAL = re.compile(r"\[([^][,]+),([^][,]+)\]")


def prose(text: str) -> Markup:
    """`text` with what stands in backticks as code. HTML stays as it is."""
    return text if isinstance(text, Markup) else Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def number(text: str) -> Markup:
    """The cell of a table, with minus signs and a space in its interval."""
    return escape(re.sub(r"(?<![\w.-])-(?=[\d.])", MINUS, INTERVAL.sub(r"[\1, \2]", text)))


def heading(text: str) -> Markup:
    """The head of a column: an interval's part stays together, and goes below the rest where there is no room."""
    first, bracket, rest = text.partition(" [")
    if not bracket:
        return escape(text)
    return escape(first) + Markup(' <span class="whole">[') + escape(rest) + Markup("</span>")


def label(text: str) -> str:
    """The head of a column in front of its value, on a narrow screen: an interval's part stays together."""
    first, bracket, rest = text.partition(" [")
    return first + bracket + rest.replace(" ", "\N{NO-BREAK SPACE}")
