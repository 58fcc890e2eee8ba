"""The paper's networks by name, each as the paper has it, with the images that it is made for."""

from dataclasses import dataclass, replace

from senet_lab.errors import SpecError, choices, shown
from senet_lab.spec import (
    SE,
    VGG,
    AnyModel,
    BNInception,
    CifarResNet,
    InceptionResNetV2,
    MobileNet,
    PreActResNet,
    ResNet,
    ResNeXt,
    SENet,
    ShakeShake,
    ShuffleNet,
    WideResNet,
)


@dataclass(frozen=True)
class Network:
    """A model, and the images that it is made for."""

    model: AnyModel
    size: int = 224
    """Pixels a side."""
    classes: int = 1000
    channels: int = 3


_IMAGENET = {
    "resnet50": Network(ResNet(depth=50)),
    "resnet101": Network(ResNet(depth=101)),
    "resnet152": Network(ResNet(depth=152)),
    "resnext50_32x4d": Network(ResNeXt(depth=50)),
    "resnext101_32x4d": Network(ResNeXt(depth=101)),
    "vgg16": Network(VGG()),
    "bn_inception": Network(BNInception()),
    "inception_resnet_v2": Network(InceptionResNetV2(), size=299),
    "mobilenet": Network(MobileNet()),
    "shufflenet": Network(ShuffleNet()),
}
_CIFAR: dict[str, AnyModel] = {
    "resnet20": CifarResNet(depth=20, widths=(16, 32, 64)),
    "resnet110": PreActResNet(depth=110),
    "resnet164": PreActResNet(depth=164, block="bottleneck"),
    "wrn16_8": WideResNet(depth=16, widen=8),
    "shake_shake26_2x96d": ShakeShake(),
    "shake_even29_2x4x64d": ShakeShake(depth=29, block="bottleneck", base_width=64, cardinality=4, backward="even"),
}
_PLAIN = _IMAGENET | {name: Network(model, size=32, classes=10) for name, model in _CIFAR.items()}
_WITH_SE = {f"se_{name}": replace(n, model=n.model.model_copy(update={"se": SE()})) for name, n in _PLAIN.items()}
NETWORKS = _PLAIN | _WITH_SE | {"senet154": Network(SENet(se=SE(bias=True)))}
"""Every network with and without SE (`se_...`, r = 16, FC layers without biases as in v4's ablations)."""


def named(name: str) -> Network:
    """The network called `name`. Raises SpecError naming those there are."""
    if name not in NETWORKS:
        raise SpecError(f"there is no network {shown(name)}; {choices(name, list(NETWORKS))}")
    return NETWORKS[name]
