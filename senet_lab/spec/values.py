"""What all specs are made of."""

from typing import Annotated

from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Ge(1)]
Fraction = Annotated[float, Ge(0), Lt(1)]
Widths = Annotated[tuple[Positive, ...], Field(strict=False), Len(1, 6)]
Width = Annotated[float, Gt(0), Le(8)]


class Spec(BaseModel):
    """A frozen value that knows no other keys than its own and converts no types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
