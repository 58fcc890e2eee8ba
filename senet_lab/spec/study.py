"""A budget of trials that are tried to choose by: the part that tuning and search have in common, and tuning."""

import math
from typing import Annotated, Literal, Self

from annotated_types import Ge, Lt
from pydantic import model_validator

from senet_lab.spec.space import Choice, Float, Space, check
from senet_lab.spec.values import Positive, Spec

SELECTION_SEED = 1_000_000
"""Of every trial that is made to choose by. Reported seeds are below it, so that nothing is reported that chose."""
Sampler = Literal["random", "grid", "tpe", "cmaes", "gp", "nsga2"]
INDEPENDENT = ("random", "grid")
"""Samplers that do not look at results: all candidates are known at once."""


class Study(Spec):
    """Candidates from a space, judged on validation data; see `Tune` and `Search`."""

    space: Space
    """Dotted path -> `Float`, `Int` or `Choice`."""
    trials: Positive
    """Candidates that are trained to their end; those that fail are replaced."""
    sampler: Sampler = "random"
    """Optuna's: random, grid, tpe, cmaes, gp (Gaussian process), nsga2."""
    batch: Positive = 8
    """Candidates that are asked for at once, where the sampler looks at results: more fill more machines, and each
    looks at fewer results. Whatever the machine, a batch is complete before the next one is asked for."""
    sampler_seed: Annotated[int, Ge(0), Lt(2**31)] = 0

    @model_validator(mode="after")
    def _space_fits(self) -> Self:
        check(self.space)
        if self.sampler == "grid" and (ranges := [k for k, d in self.space.items() if isinstance(d, Float)]):
            raise ValueError(f"sampler 'grid' needs lists; {ranges[0]} is a range of floats: use Choice(options=[...])")
        if self.sampler == "grid" and (some := [k for k, d in self.space.items() if d.when]):
            raise ValueError(f"sampler 'grid' crosses everything; {some[0]} has a `when`: use another sampler")
        if self.sampler == "grid" and self.trials < (size := self._cells()):
            raise ValueError(f"sampler 'grid': the grid has {size} candidates; set trials={size}, or take fewer values")
        return self

    def _cells(self) -> int:
        """Of the grid."""
        sizes = [
            len(one.labelled) if isinstance(one, Choice) else len(range(int(one.low), int(one.high) + 1, one.step))
            for one in self.space.values()
            if not isinstance(one, Float)
        ]
        return math.prod(sizes)


class Tune(Study):
    """A study of its own for every row of a sweep, of equal budget, over settings that are not what is asked about.

    The winner is trained again on fresh seeds, and only these trials are reported.
    """

    objective: Literal["validation_error", "validation_loss"] = "validation_error"
    """Of the last epoch. Ties of the error go by the loss."""
