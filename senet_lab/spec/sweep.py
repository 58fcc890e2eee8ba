"""A trial and a sweep of trials, and the one way to make a trial out of another."""

import copy
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import Field, ValidationError, model_validator

from senet_lab.errors import SpecError, choices
from senet_lab.explain import explain
from senet_lab.spec.cifar import CifarResNet, PreActResNet, ShakeShake, WideResNet
from senet_lab.spec.imagenet import VGG, BNInception, InceptionResNetV2, MobileNet, ResNet, ResNeXt, SENet, ShuffleNet
from senet_lab.spec.model import families
from senet_lab.spec.se import SE, Reductions
from senet_lab.spec.study import Tune
from senet_lab.spec.training import Data, Train
from senet_lab.spec.values import Name, Spec

AnyModel = Annotated[
    CifarResNet
    | PreActResNet
    | WideResNet
    | ShakeShake
    | ResNet
    | ResNeXt
    | SENet
    | VGG
    | BNInception
    | InceptionResNetV2
    | MobileNet
    | ShuffleNet,
    Field(discriminator="family"),
]
Published = Literal[
    "reduction_ratio",
    "squeeze_operator",
    "excitation_operator",
    "stages",
    "integration",
    "role_of_squeeze",
    "architectures",
    "cifar_architectures",
    "mobile_architectures",
]


class Trial(Spec):
    """One training run, complete."""

    model: AnyModel
    data: Data
    train: Train
    seed: Annotated[int, Ge(0), Lt(2**31)] = 0


Values = Annotated[tuple[Any, ...], Field(strict=False), Len(1)]


class Sweep(Spec):
    """A question: which variants of `base` to compare, with what, and how often.

    `grid` crosses its factors; `one_at_a_time` changes one factor of the base per variant;
    `leave_one_out` is the base and the base with one setting replaced; `zip` moves its factors
    in step; `variants` lists settings outright, or gives them names. Several designs are united.
    """

    base: Trial
    grid: dict[str, Values] = Field(default_factory=dict)
    one_at_a_time: dict[str, Values] = Field(default_factory=dict)
    leave_one_out: dict[str, Any] = Field(default_factory=dict)
    zip: dict[str, Values] = Field(default_factory=dict)
    variants: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] | dict[Name, dict[str, Any]] = ()
    controls: Annotated[tuple[Literal["no_se", "no_squeeze"], ...], Field(strict=False)] = ()
    baseline: str | dict[str, Any] | None = None
    """The row that the others are compared to: a row's or control's name, or {factor: value}."""
    counterpart: dict[str, Any] = Field(default_factory=dict)
    """Instead of one baseline: each row is compared to the row that is equal but for these settings,
    e.g. {"model.se": None} compares each network with SE to the same network without it."""
    seeds: Annotated[int, Ge(1), Le(10_000)]
    """Trials per variant, with seeds 0, 1, 2, ..."""
    margin: Annotated[float, Gt(0), Le(0.1)]
    """Differences in test error below this are called equivalent: a fraction, 0.005 is half a point."""
    published: Published | None = None
    """The paper's table to set beside the results."""
    tune: Tune | None = None
    """Settings that are chosen for every row by itself before it is trained on the seeds above."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.baseline is None) != bool(self.counterpart):
            found = "both baseline and counterpart" if self.counterpart else "no baseline"
            raise ValueError(f"found {found}; say what the rows are compared to: one of baseline=, counterpart=")
        return self


BROUGHT_IN: dict[str, type[Spec]] = {"model.se": SE, "model.se.reduction_in": Reductions}
"""What a setting inside brings in where there is none: model.se.reduction=8, into a network without SE."""


def apply(trial: Trial, settings: Mapping[str, Any]) -> Trial:
    """`trial` with dotted `settings` replaced, validated as a whole again.

    Another `model.family` keeps of the old network what the new one knows too.
    Raises SpecError naming the key, what was found, and what is allowed.
    """
    tree = trial.model_dump()
    for path, value in sorted(settings.items(), key=lambda item: item[0] != "model.family"):
        if path == "model.family":
            tree["model"] = _in_family(tree["model"], value)
        *parents, last = path.split(".")
        node = tree
        for depth, name in enumerate(parents, 1):
            here = ".".join(parents[:depth])
            if here in BROUGHT_IN and node.get(name) is None:
                node[name] = BROUGHT_IN[here]().model_dump()
            if name not in node and node:
                raise SpecError(f"{path}: there is no {here}; {choices(name, sorted(node), here[: -len(name)])}")
            if not isinstance(node.get(name), dict):
                raise SpecError(f"{path}: {here} is a value and has nothing inside; set {here} itself")
            node = node[name]
        node[last] = value.model_dump() if isinstance(value, Spec) else copy.deepcopy(value)  # more may be set inside
    try:
        return Trial.model_validate(tree)
    except ValidationError as error:
        raise SpecError(explain(error, Trial)) from None


def _in_family(model: dict[str, Any], family: Any) -> dict[str, Any]:
    """Those settings of `model` that a network of `family` has too; all of them if there is no such family."""
    known = {c.model_fields["family"].default: c.model_fields for c in families()}
    return {k: v for k, v in model.items() if k in (known.get(family, model) if isinstance(family, str) else model)}
