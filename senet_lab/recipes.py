"""Complete settings by name: data, network and training, each with its source."""

from senet_lab.errors import SpecError, choices
from senet_lab.spec import CifarResNet, Data, PreActResNet, ResNet, Train, Trial

DIGITS = Trial(
    model=CifarResNet(depth=6, widths=(16, 32)),
    data=Data(source="digits", validation=200, crop_padding=1),
    train=Train(epochs=20, batch_size=64, learning_rate=0.1, weight_decay=5e-4),
)
"""8x8 grey digits (UCI optdigits test set, bundled with scikit-learn), a network of seconds.

The source's own order is kept: the test part was written by other people than the training part.
"""

DIGITS_RESNET50 = Trial(
    model=ResNet(depth=50, width=0.125, small_images=True, identity_start=True),
    data=DIGITS.data,
    train=DIGITS.train.model_copy(update={"warmup_epochs": 3.0}),
)
"""The digits with the networks made for ImageNet, an eighth as wide and with a stem for small images."""

DIGITS_RESNET110 = Trial(
    model=PreActResNet(depth=110, width=0.25),
    data=DIGITS.data,
    train=DIGITS.train,
)
"""The digits with the networks made for CIFAR, a quarter as wide."""


def named(name: str) -> Trial:
    """The recipe called `name`, in lower case. Raises SpecError naming those there are."""
    known = {key.lower(): value for key, value in globals().items() if isinstance(value, Trial)}
    if name not in known:
        raise SpecError(f"recipe: there is none called {name!r}; {choices(name, sorted(known))}")
    return known[name]
