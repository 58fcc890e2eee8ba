"""Complete settings by name: data, network and training, each with its source."""

from senet_lab.errors import SpecError, choices, shown
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
    train=Train(epochs=30, batch_size=64, learning_rate=0.05, weight_decay=5e-4, warmup_epochs=3.0),
)
"""The digits with ResNet-50, an eighth as wide and with a stem for small images.

At this rate every network of v4 Table 2 learns, at that of `DIGITS` not; residual units start as the identity,
without which the deepest ones learn nothing in so few steps.
"""

DIGITS_RESNET110 = Trial(
    model=PreActResNet(depth=110, width=0.25),
    data=DIGITS.data,
    train=Train(epochs=30, batch_size=64, learning_rate=0.1, weight_decay=5e-4, warmup_epochs=1.0),
)
"""The digits with the pre-activation ResNet-110, a quarter as wide."""

CIFAR10 = Trial(
    model=CifarResNet(depth=20, widths=(16, 32, 64)),
    data=Data(source="cifar10", validation=5_000, crop_padding=4, flip=True),
    train=Train(
        epochs=164,
        batch_size=128,
        learning_rate=0.1,
        nesterov=False,
        weight_decay=1e-4,
        schedule="step",
        drops=(82, 123),
    ),
)
"""CIFAR-10 with ResNet-20 (He et al., arXiv 1512.03385, section 4.2), images as in v4 5.1.

Their 64,000 steps, with drops after 32,000 and 48,000, are these epochs of all 50,000 images; of the
45,000 that are left to train on here they are 57,564. v4 states only the networks and the images for
CIFAR, not ResNet-20 and no training ("as in the original papers").
"""

CIFAR100 = Trial(
    model=CIFAR10.model,
    data=Data(source="cifar100", validation=5_000, crop_padding=4, flip=True),
    train=CIFAR10.train,
)
"""CIFAR-100, otherwise as `CIFAR10`: He et al. did not train on it, v4 does with other networks (Table 5)."""

IMAGENET = Trial(
    model=ResNet(depth=50),
    data=Data(source="folder:imagenet", validation=10_000, image_size=224, flip=True),
    train=Train(
        epochs=270,
        batch_size=256,
        learning_rate=0.1,
        nesterov=False,
        weight_decay=1e-4,
        label_smoothing=0.1,
        schedule="step",
        drops=(125, 200, 250),
    ),
)
"""ImageNet with ResNet-50 as in the paper's ablations (v4 section 6), by the fixed schedule of its footnote 2.

Stated: learning rate 0.1, label smoothing, images as in 5.1, SGD with momentum 0.9 (5.1), epochs and drops.
Not stated: batch size; 256 from the author (hujie-frank/SENet issue 62). Weight decay; 1e-4 from the author
(issue 37). Amount of label smoothing; 0.1 from Szegedy et al. (arXiv 1512.00567, section 7). Momentum's form;
the plain one. Images held out of the training part; 10,000. Pixels are divided by the deviation as well.
"""

IMAGENET_100 = Trial(
    model=ResNet(depth=50),
    data=IMAGENET.data,
    train=Train(
        epochs=100,
        batch_size=1024,
        learning_rate=0.6,
        nesterov=False,
        weight_decay=1e-4,
        schedule="step",
        drops=(30, 60, 90),
    ),
)
"""ImageNet with ResNet-50 as in Table 2 (v4 section 5.1): 100 epochs, batches of 1024, 0.6 divided by 10 every 30.

Not stated: weight decay; 1e-4 from the author (hujie-frank/SENet issue 37). Label smoothing; none, as it is not
mentioned. Momentum's form; the plain one. Images held out of the training part; 10,000.
"""

PLACES365 = Trial(
    model=ResNet(depth=152),
    data=Data(source="folder:places365", validation=10_000, image_size=224, flip=True),
    train=IMAGENET_100.train,
)
"""Places365 with ResNet-152, tested on its validation part (v4 section 5.2, Table 6).

Not stated: the whole training; that of `IMAGENET_100` from v4 5.1. Batches of 1024 take several GPUs' memory;
`--set train.batch_size=256 --set train.learning_rate=0.15` keeps their ratio.
"""


def named(name: str) -> Trial:
    """The recipe called `name`, in lower case. Raises SpecError naming those there are."""
    known = {key.lower(): value for key, value in globals().items() if isinstance(value, Trial)}
    if name not in known:
        raise SpecError(f"recipe: there is none called {shown(name)}; {choices(name, sorted(known))}")
    return known[name]
