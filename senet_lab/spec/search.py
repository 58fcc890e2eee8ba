"""A plain search: which settings of a space are best, where nothing is asked about one of them."""

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le, Len
from pydantic import Field, model_validator

from senet_lab.errors import choices
from senet_lab.spec.stopping import ASHA, Median
from senet_lab.spec.study import Sampler, Study
from senet_lab.spec.sweep import Trial
from senet_lab.spec.values import Positive

Objective = Literal["error", "params", "macs", "latency"]


class Search(Study):
    """The lowest error, or the best compromises of error and cost, over a space; the best are measured again."""

    base: Trial
    sampler: Sampler = "tpe"
    objectives: Annotated[tuple[Objective, ...], Field(strict=False), Len(1, 3)] = ("error",)
    """What is to be low: the validation error of the last epoch, trainable parameters, multiply-adds of an image,
    seconds that the network takes for one image here. Several: what no other candidate beats in all is the front."""
    limits: dict[Objective, Annotated[float, Gt(0)]] = Field(default_factory=dict)
    """Most that a candidate may have to be chosen, e.g. {"params": 25_000}; too costly networks are not trained."""
    stopping: ASHA | Median | None = None
    """Ends candidates early whose validation error is behind that of others at the same epoch, by Ray Tune: it tells
    earlier ones from later, so what is stopped depends on which ran at the same time."""
    confirm: Positive = 5
    """Of the best candidates, or of the front, so many are trained again on fresh seeds, beside the base."""
    seeds: Annotated[int, Ge(1), Le(10_000)]
    """Fresh seeds of each: 0, 1, 2, ..."""
    margin: Annotated[float, Gt(0), Le(0.1)]
    """Differences in test error below this are called equivalent: a fraction, 0.005 is half a point."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError(f"objectives {list(self.objectives)}: one is listed twice; list each once")
        if "error" not in self.objectives:
            raise ValueError(f"objectives {list(self.objectives)}: without the error nothing is trained for; add it")
        if len(self.objectives) > 1 and self.sampler == "cmaes":
            raise ValueError(f"sampler 'cmaes' knows one objective; {choices('', ['nsga2', 'tpe', 'gp', 'random'])}")
        if len(self.objectives) > 1 and self.stopping is not None:
            raise ValueError(
                f"stopping goes by the error alone and would end what is good for its cost; with objectives "
                f"{list(self.objectives)} leave stopping out"
            )
        return self
