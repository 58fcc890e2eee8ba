"""What is in published files: names and shapes, written out a second time.

After timm's senet.py (the "legacy" networks, as ported from the released models) and torchvision's
resnet.py. And the same lists for narrow networks, to write and read them quickly.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from senet_lab import models
from senet_lab.spec import SE, Model, ResNet, ResNeXt, SENet

TORCHVISION: dict[str, Any] = {"stride_in": "3x3", "pool": "padded"}
SE_BIAS = SE(bias=True)
Shapes = dict[str, tuple[int, ...]]


def published(
    blocks: tuple[int, ...],
    *,
    legacy: bool,
    se: str = "",
    groups: int = 1,
    group_width: int = 0,
    senet: bool = False,
    channels: int = 3,
    classes: int = 1000,
    planes: int = 64,
    counters: bool = True,
) -> Shapes:
    """Name -> shape in a published file; `se` is what the SE blocks are called, `planes` 64 but in narrow ones."""
    shapes: Shapes = {}

    def norm(name: str, features: int) -> None:
        shapes.update({f"{name}.{k}": (features,) for k in ("weight", "bias", "running_mean", "running_var")})
        shapes.update({f"{name}.num_batches_tracked": ()} if counters else {})

    def conv(name: str, inputs: int, outputs: int, kernel: int, norm_name: str, per_group: int = 0) -> None:
        shapes[f"{name}.weight"] = (outputs, per_group or inputs, kernel, kernel)
        norm(norm_name, outputs)

    stem = "layer0." if legacy else ""
    if senet:
        conv(f"{stem}conv1", channels, planes, 3, f"{stem}bn1")
        conv(f"{stem}conv2", planes, planes, 3, f"{stem}bn2")
        conv(f"{stem}conv3", planes, 2 * planes, 3, f"{stem}bn3")
    else:
        conv(f"{stem}conv1", channels, planes, 7, f"{stem}bn1")
    inputs = 2 * planes if senet else planes
    for layer, count in enumerate(blocks, 1):
        outputs = 4 * planes * 2 ** (layer - 1)
        middle = groups * group_width * 2 ** (layer - 1) if group_width else outputs // 4
        for index in range(count):
            name = f"layer{layer}.{index}"
            first = middle // 2 if senet else middle
            conv(f"{name}.conv1", inputs, first, 1, f"{name}.bn1")
            conv(f"{name}.conv2", first, middle, 3, f"{name}.bn2", first // groups)
            conv(f"{name}.conv3", middle, outputs, 1, f"{name}.bn3")
            if se:
                hidden = outputs // 16
                shapes |= {f"{name}.{se}.fc1.weight": (hidden, outputs, 1, 1), f"{name}.{se}.fc1.bias": (hidden,)}
                shapes |= {f"{name}.{se}.fc2.weight": (outputs, hidden, 1, 1), f"{name}.{se}.fc2.bias": (outputs,)}
            if index == 0:
                kernel = 3 if senet and layer > 1 else 1
                conv(f"{name}.downsample.0", inputs, outputs, kernel, f"{name}.downsample.1")
            inputs = outputs
    last = "last_linear" if legacy else "fc"
    return shapes | {f"{last}.weight": (classes, inputs), f"{last}.bias": (classes,)}


B50, B101, B152 = (3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3)
X: dict[str, Any] = {"groups": 32, "group_width": 4}
FILES: dict[str, tuple[Model, Shapes, float]] = {  # name -> network, names and shapes, M parameters by timm
    "legacy_seresnet50": (ResNet(se=SE_BIAS), published(B50, legacy=True, se="se_module"), 28.09),
    "legacy_seresnet101": (ResNet(depth=101, se=SE_BIAS), published(B101, legacy=True, se="se_module"), 49.33),
    "legacy_seresnet152": (ResNet(depth=152, se=SE_BIAS), published(B152, legacy=True, se="se_module"), 66.82),
    "legacy_seresnext50_32x4d": (ResNeXt(se=SE_BIAS), published(B50, legacy=True, se="se_module", **X), 27.56),
    "legacy_seresnext101_32x4d": (
        ResNeXt(depth=101, se=SE_BIAS),
        published(B101, legacy=True, se="se_module", **X),
        48.96,
    ),
    "legacy_senet154": (
        SENet(se=SE_BIAS),
        published(B152, legacy=True, se="se_module", groups=64, group_width=4, senet=True),
        115.09,
    ),
    "resnet50": (ResNet(**TORCHVISION), published(B50, legacy=False), 25.56),
    "resnet101": (ResNet(depth=101, **TORCHVISION), published(B101, legacy=False), 44.55),
    "resnet152": (ResNet(depth=152, **TORCHVISION), published(B152, legacy=False), 60.19),
    "resnext50_32x4d": (ResNeXt(pool="padded"), published(B50, legacy=False, **X), 25.03),
    "resnext101_32x4d": (ResNeXt(depth=101, pool="padded"), published(B101, legacy=False, **X), 44.18),
    "seresnet50": (ResNet(se=SE_BIAS, **TORCHVISION), published(B50, legacy=False, se="se"), 28.09),
}


def drawn(shapes: Shapes) -> dict[str, Tensor]:
    """A file's tensors, no two alike."""
    generator = torch.Generator().manual_seed(0)
    return {
        n: torch.full((), 7, dtype=torch.long) if n.endswith("tracked") else torch.rand(shape, generator=generator)
        for n, shape in shapes.items()
    }


def narrow(**settings: Any) -> Shapes:
    """What `NARROW` reads: an eighth of legacy_seresnet50's channels, two image channels, five classes."""
    default: dict[str, Any] = {"legacy": True, "se": "se_module", "planes": 8, "channels": 2, "classes": 5}
    return published(B50, **(default | settings))


NARROW = ResNet(width=0.125, se=SE_BIAS)


def built(model: Model, file: Path, channels: int = 2, classes: int = 5) -> nn.Module:
    given = type(model).model_validate(model.model_dump() | {"weights": str(file)})
    return models.build(given, channels=channels, classes=classes, seed=0, device=torch.device("cpu"))
