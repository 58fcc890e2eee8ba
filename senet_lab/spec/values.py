"""What all specs are made of."""

from typing import Annotated

from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LONGEST_NAME = 100


def _printable(text: str) -> str:
    """Raises ValueError for what would steer a terminal or end a path."""
    if text.isprintable():
        return text
    raise ValueError(f"found {text!r}; control characters cannot be shown or be in a path; leave them out")


def _name(text: str) -> str:
    if text.strip() and len(text) <= LONGEST_NAME:
        return _printable(text)
    found = f"a name of {len(text):,} characters" if text.strip() else repr(text)
    raise ValueError(
        f"found {found}; a row's name is made of 1 to {LONGEST_NAME} visible characters, give it such a one"
    )


Positive = Annotated[int, Ge(1), Lt(2**31)]
Channels = Annotated[int, Ge(1), Le(2**16)]
Depth = Annotated[int, Le(2_000)]
Printable = Annotated[str, AfterValidator(_printable)]
Name = Annotated[str, AfterValidator(_name)]
"""Of a row: it is printed, and a part of a folder's name."""
Fraction = Annotated[float, Ge(0), Lt(1)]
Widths = Annotated[tuple[Channels, ...], Field(strict=False), Len(1, 6)]
Width = Annotated[float, Gt(0), Le(8)]


class Spec(BaseModel):
    """A frozen value that knows no other keys than its own and converts no types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
