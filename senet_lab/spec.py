"""What people may ask for: frozen, closed values. What cannot train cannot be built.

A dotted path such as `model.se.reduction` is the only way to name a setting: in sweeps, in
`--set`, in columns, in MLflow. New settings need a default that means "as before", and a
default is never changed: fingerprints leave defaults out (see `plan`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from senet_lab.errors import SpecError, choices
from senet_lab.explain import explain

Positive = Annotated[int, Ge(1)]
Fraction = Annotated[float, Ge(0), Lt(1)]
FIRST_STAGE = 2  # the paper calls the stem stage 1 and the first residual stage stage 2 (v4, Table 1)


class Spec(BaseModel):
    """A frozen value that knows no other keys than its own and converts no types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SE(Spec):
    """A Squeeze-and-Excitation block and where it stands (v4 sections 3 and 6)."""

    reduction: Positive = 16
    """r: the bottleneck has channels // r units, at least one (v4 Eqn. 3)."""
    squeeze: Literal["avg", "max"] = "avg"
    """How a feature map becomes one number per channel (v4 Table 11)."""
    gate: Literal["sigmoid", "tanh", "relu"] = "sigmoid"
    """The non-linearity that makes the channel weights (v4 Table 12)."""
    placement: Literal["standard", "pre", "post", "identity", "conv3x3"] = "standard"
    """Where in the residual unit the block stands (v4 Fig. 5, Tables 14 and 15)."""
    stages: Annotated[tuple[Annotated[int, Ge(FIRST_STAGE)], ...], Field(strict=False), Len(1)] | Literal["all"] = "all"
    """Residual stages that carry the block, numbered as in the paper: the first one is 2."""
    bias: bool = False
    """Whether the two FC layers have biases (v4 ablations: no; released models: yes)."""

    def hidden_width(self, channels: int) -> int:
        """Units of the bottleneck for a feature map of `channels`; not rounded, at least 1."""
        return max(1, channels // self.reduction)

    def in_stage(self, stage: int) -> bool:
        """Whether residual stage `stage` (2 is the first) carries the block."""
        return self.stages == "all" or stage in self.stages


class Model(Spec):
    """A CIFAR-style ResNet of basic blocks (He et al., arXiv 1512.03385, section 4.2)."""

    family: Literal["cifar_resnet"] = "cifar_resnet"
    depth: Annotated[int, Ge(4)]
    """Layers with weights: 2 x stages x blocks per stage + 2; 20 for three blocks in three stages."""
    widths: Annotated[tuple[Positive, ...], Field(strict=False), Len(1, 6)]
    """Channels of each residual stage, e.g. (16, 32, 64); every stage after the first halves the map."""
    se: SE | None = None

    @property
    def stages(self) -> dict[int, int]:
        """Residual stage (2 is the first) -> its channels."""
        return dict(enumerate(self.widths, FIRST_STAGE))

    @property
    def blocks_per_stage(self) -> int:
        return (self.depth - 2) // (2 * len(self.widths))

    @property
    def hidden_widths(self) -> dict[int, tuple[int, ...]]:
        """Stage -> bottleneck units of the SE block of each of its units; without SE, empty.

        With placement "pre" a block sees its unit's input: in a stage's first unit, the stage before's channels.
        """
        found: dict[int, tuple[int, ...]] = {}
        before = self.widths[0]
        for stage, channels in self.stages.items():
            if self.se is not None and self.se.in_stage(stage):
                first = before if self.se.placement == "pre" else channels
                seen = (first, *[channels] * (self.blocks_per_stage - 1))
                found[stage] = tuple(self.se.hidden_width(c) for c in seen)
            before = channels
        return found

    @model_validator(mode="after")
    def _fits(self) -> Self:
        step = 2 * len(self.widths)
        if (self.depth - 2) % step or self.depth < 2 + step:
            below = max(2 + step, self.depth - (self.depth - 2) % step)
            raise ValueError(
                f"depth {self.depth} does not divide into {len(self.widths)} stages of two-layer blocks; "
                f"allowed: {step} x blocks + 2, e.g. {below} or {below + step}"
            )
        if self.se is not None and self.se.stages != "all" and (unknown := set(self.se.stages) - set(self.stages)):
            raise ValueError(
                f"se.stages names stage {sorted(unknown)}; this network has stages {sorted(self.stages)} "
                f"(the stem is stage 1, as in the paper)"
            )
        return self


class Data(Spec):
    """Images, and which of them are held out to choose by.

    The test part belongs to the source and is the same for every seed; the validation part is
    drawn from the other images by the seed's own stream.
    """

    source: Literal["digits"]
    validation: Positive
    """Images held out of the training pool."""
    crop_padding: Annotated[int, Ge(0), Le(8)] = 0
    """Pixels of zero padding per side before a random crop; 0 for none."""
    flip: bool = False
    """Random horizontal flip."""


class Train(Spec):
    """SGD with Nesterov momentum; weight decay on weights only, not on biases or batch norm."""

    epochs: Positive
    batch_size: Annotated[int, Ge(2)]
    learning_rate: Annotated[float, Gt(0), Lt(100)]
    """At its peak."""
    momentum: Fraction = 0.9
    weight_decay: Annotated[float, Ge(0), Lt(1)] = 0.0
    label_smoothing: Fraction = 0.0
    schedule: Literal["constant", "cosine"] = "cosine"
    """Of the learning rate, stepped after every batch, down to 0."""
    warmup_epochs: Annotated[float, Ge(0)] = 0.0
    """Epochs of linear rise to `learning_rate`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs {self.warmup_epochs:g} leaves nothing of {self.epochs} epochs; use fewer")
        return self


class Trial(Spec):
    """One training run, complete."""

    model: Model
    data: Data
    train: Train
    seed: Annotated[int, Ge(0), Lt(2**31)] = 0


Values = Annotated[tuple[Any, ...], Field(strict=False), Len(1)]


class Sweep(Spec):
    """A question: which variants of `base` to compare, with what, and how often.

    `grid` crosses its factors; `one_at_a_time` changes one factor of the base per variant;
    `leave_one_out` is the base and the base with one setting replaced; `zip` moves its factors
    in step; `variants` lists settings outright. Several designs are united.
    """

    base: Trial
    grid: dict[str, Values] = {}
    one_at_a_time: dict[str, Values] = {}
    leave_one_out: dict[str, Any] = {}
    zip: dict[str, Values] = {}
    variants: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] = ()
    controls: Annotated[tuple[Literal["no_se"], ...], Field(strict=False)] = ()
    baseline: str | dict[str, Any]
    """The row that the others are compared to: a control's name, or {factor: value}."""
    seeds: Annotated[int, Ge(1), Le(10_000)]
    """Trials per variant, with seeds 0, 1, 2, ..."""
    margin: Annotated[float, Gt(0), Le(0.1)]
    """Differences in test error below this are called equivalent: a fraction, 0.005 is half a point."""
    published: Literal["reduction_ratio"] | None = None
    """The paper's table to set beside the results."""


def apply(trial: Trial, settings: Mapping[str, Any]) -> Trial:
    """`trial` with dotted `settings` replaced, validated as a whole again.

    Raises SpecError naming the key, what was found, and what is allowed.
    """
    tree = trial.model_dump()
    for path, value in settings.items():
        *parents, last = path.split(".")
        node = tree
        for depth, name in enumerate(parents, 1):
            here = ".".join(parents[:depth])
            if name not in node and node:
                raise SpecError(f"{path}: there is no {here}; {choices(name, sorted(node))}")
            if name in node and node[name] is None:  # model.se.reduction brings SE into a network without it
                node[name] = {}
            if not isinstance(node.get(name), dict):
                raise SpecError(f"{path}: {here} is a value and has nothing inside; set {here} itself")
            node = node[name]
        node[last] = value
    try:
        return Trial.model_validate(tree)
    except ValidationError as error:
        raise SpecError(explain(error, Trial)) from None
