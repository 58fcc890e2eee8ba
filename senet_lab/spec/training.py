"""What a network is trained on, and how."""

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, Field, model_validator

from senet_lab.errors import choices
from senet_lab.spec.values import Fraction, Positive, Printable, Spec

SOURCES = ("digits", "cifar10", "cifar100", "parquet:DIR", "folder:DIR")


def _source(text: str) -> str:
    kind, _, folder = text.partition(":")
    named = kind in ("parquet", "folder")
    if text in SOURCES[:3] or (named and folder):
        return text
    if named:
        raise ValueError(f"found {text!r}; say which folder, e.g. {kind}:images")
    raise ValueError(f"found {text!r}; {choices(kind, list(SOURCES))}")


class Data(Spec):
    """Images, and which of them are held out to choose by.

    The test part belongs to the source and is the same for every seed; the validation part is
    drawn from the other images by the seed's own stream.
    """

    source: Annotated[Printable, AfterValidator(_source)]
    """"digits" (inside scikit-learn), "cifar10", "cifar100" (archives in the data folder), "parquet:DIR"
    (Hugging Face layout) or "folder:DIR" (ImageNet, Places365, a folder a class); DIR may lie in the data folder."""
    validation: Positive
    """Images held out of the training pool."""
    crop_padding: Annotated[int, Ge(0), Le(8)] = 0
    """Pixels of zero padding per side before a random crop; 0 for none."""
    flip: bool = False
    """Random horizontal flip."""
    cutout: Annotated[float, Ge(0), Le(1)] = 0.0
    """Side of the square of zeros put at a random place (DeVries and Taylor, arXiv 1708.04552), as a fraction
    of the image's side: 0.5 is 16 of 32 pixels; 0 for none."""
    image_size: Annotated[int, Ge(8), Le(16_384)] | None = None
    """Pixels of the crops that are made of larger images while training: random area (8 to 100 %) and aspect
    ratio (3/4 to 4/3), as in v4 5.1; tested on the centre, the shorter side being 8/7 of it. None: as they are."""

    @property
    def kind(self) -> str:
        """The source without its folder."""
        return self.source.partition(":")[0]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.image_size is not None and self.kind != "folder" and self.kind != "parquet":
            raise ValueError(f"image_size is for folder: and parquet: sources; {self.source} has images of one size")
        if self.image_size is not None and self.crop_padding:
            raise ValueError("crop_padding and image_size are two ways to crop; set one of them")
        return self


class Train(Spec):
    """SGD with momentum; weight decay on weights only, not on biases or batch norm."""

    epochs: Positive
    batch_size: Annotated[int, Ge(2), Lt(2**31)]
    learning_rate: Annotated[float, Gt(0), Lt(100)]
    """At its peak."""
    momentum: Fraction = 0.9
    nesterov: bool = True
    """Nesterov's form of the momentum."""
    weight_decay: Annotated[float, Ge(0), Lt(1)] = 0.0
    label_smoothing: Fraction = 0.0
    schedule: Literal["constant", "cosine", "step"] = "cosine"
    """Of the learning rate: cosine goes down to 0 after every batch, step multiplies it by `decay` at `drops`."""
    drops: Annotated[tuple[Positive, ...], Field(strict=False)] = ()
    """Epochs after which schedule "step" lowers the rate, e.g. (125, 200, 250)."""
    decay: Annotated[float, Gt(0), Lt(1)] = 0.1
    warmup_epochs: Annotated[float, Ge(0)] = 0.0
    """Epochs of linear rise to `learning_rate`."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the network's own arithmetic, in training and in tests: bfloat16 is torch's autocast. Weights, statistics of
    batch norm, loss and optimizer stay float32. For GPUs; a CPU without units for bfloat16 is slower with it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            found = f"warmup_epochs {self.warmup_epochs:g} leaves nothing of {self.epochs} epochs"
            raise ValueError(f"{found}; use fewer, e.g. train.warmup_epochs=0")
        if self.schedule == "step" and not self.drops:
            raise ValueError("schedule 'step' needs drops, e.g. train.drops=[82,123]")
        if self.drops and self.schedule != "step":
            raise ValueError(f"drops {list(self.drops)} belong to schedule 'step', found {self.schedule!r}; mend one")
        if self.drops and self.drops[-1] >= self.epochs:
            raise ValueError(
                f"drops {list(self.drops)} are not all within {self.epochs} epochs; set train.drops too, "
                f"or train.schedule=cosine and train.drops=[]"
            )
        if list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"drops {list(self.drops)} must rise, epoch by epoch")
        return self
