"""What every network has in common. One class a family is in `cifar` and `imagenet`."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from pydantic import model_validator

from senet_lab.spec.se import SE, Placement, Unit, hidden_widths
from senet_lab.spec.values import Printable, Spec, Width

RESIDUAL: tuple[Placement, ...] = ("standard", "pre", "post", "identity", "conv3x3")


class Model(Spec):
    """A network. `Model(family="resnet", depth=50)` is `ResNet(depth=50)`; without a family, a `CifarResNet`."""

    family: str
    se: SE | None = None
    weights: Printable | None = None
    """File to start from instead of drawn weights: safetensors, or a state dict saved by torch."""

    module: ClassVar[str]
    """Where in `senet_lab.models` the network is built."""
    folds: ClassVar[bool] = False
    """Whether trials of it can be trained as one (`models.fold`): no layer joins or reorders channels.
    Nor may the network draw: only with `dropout` 0, where it has dropout."""
    placements: ClassVar[tuple[Placement, ...]] = RESIDUAL
    """Those of v4 Fig. 5 that have a meaning here."""
    why_not: ClassVar[str] = ""
    """Why others have none."""

    def __new__(cls, *_: Any, **settings: Any) -> "Model":
        """The class of `settings["family"]` where `Model` itself is called."""
        if cls is not Model:
            return super().__new__(cls)
        known = {c.model_fields["family"].default: c for c in families()}
        return super().__new__(known.get(str(settings.get("family")), known["cifar_resnet"]))

    @property
    def units(self) -> tuple[Unit, ...]:
        """Every part that may carry an SE block, from input to output."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """The network's name in print, without SE, e.g. "ResNet-50"."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The network's name in print, with SE where it has it, e.g. "SE-ResNet-50"."""
        return f"SE-{self.title}" if self.se and not self.title.startswith("SE") else self.title

    @property
    def stages(self) -> tuple[int, ...]:
        """Numbers of the stages that may carry SE blocks."""
        return tuple(dict.fromkeys(unit.stage for unit in self.units))

    @property
    def hidden_widths(self) -> dict[int, tuple[int, ...]]:
        """Stage -> bottleneck units of the SE block of each of its units; without SE, empty."""
        return hidden_widths(self.se, self.units)

    @model_validator(mode="after")
    def _se_fits(self) -> Self:
        if self.se is None:
            return self
        if self.se.placement not in self.placements:
            raise ValueError(
                f"se.placement {self.se.placement!r} has no meaning in {self.title}: {self.why_not}; "
                f"allowed: {', '.join(self.placements)}"
            )
        gated = self.stages if self.se.stages == "all" else self.se.stages
        for name, named in (("se.stages", gated), ("se.reduction_in", self.se.reduction_in.by_stage)):
            if unknown := set(named) - set(self.stages):
                raise ValueError(
                    f"{name} names stage {sorted(unknown)}; this network has stages {sorted(self.stages)} "
                    f"(the stem is stage 1, as in the paper)"
                )
        if without := set(self.se.reduction_in.by_stage) - set(gated):
            raise ValueError(
                f"se.reduction_in names stage {sorted(without)}, which has no block: se.stages names "
                f"{sorted(gated)}; name the stage there, too, or leave its reduction out"
            )
        return self


class Narrow(Model):
    """A network made for ImageNet, which a small data set wants narrower and with a finer stem."""

    width: Width = 1.0
    """Factor on all channels, rounded; group numbers follow where there are groups."""
    small_images: bool = False
    """A stem that keeps the size of the image (8 to 64 pixels): stride 1, no pooling."""

    def scaled(self, channels: int, multiple: int = 1) -> int:
        """`channels` times `width`, to the nearest `multiple`, at least one of it."""
        return multiple * max(1, round(channels * self.width / multiple))


def families(root: type[Model] = Model) -> Iterator[type[Model]]:
    """Every family's class."""
    for child in root.__subclasses__():
        if "family" in child.__annotations__:
            yield child
        yield from families(child)
