"""Does SE help networks made for small images, each compared to itself without SE?

Tables 4 and 5 of "Squeeze-and-Excitation Networks" (arXiv 1709.01507v4): ResNet-110 and -164 with
pre-activation, WRN-16-8, and Shake-Shake 26 2x96d (on CIFAR-100 Shake-Even 29 2x4x64d), the last one
with Cutout; on digits each network is narrow. On the data they are made for: `--recipe cifar10`,
`--recipe cifar100`.
"""

from senet_lab import Sweep, recipes

BACKBONES = {
    "ResNet-110": {"model.family": "preact_resnet", "model.depth": 110},
    "ResNet-164": {"model.family": "preact_resnet", "model.depth": 164, "model.block": "bottleneck"},
    "WRN-16-8": {"model.family": "wide_resnet", "model.depth": 16},
    "Shake-Shake 26 2x96d + Cutout": {"model.family": "shake_shake", "model.depth": 26, "data.cutout": 0.5},
    "Shake-Even 29 2x4x64d + Cutout": {
        "model.family": "shake_shake",
        "model.depth": 29,
        "model.block": "bottleneck",
        "model.base_width": 64,
        "model.cardinality": 4,
        "model.backward": "even",
        "data.cutout": 0.25,
    },
}

SWEEP = Sweep(
    base=recipes.DIGITS_RESNET110,
    variants={
        name: settings
        for backbone, plain in BACKBONES.items()
        for name, settings in (
            (backbone, plain | {"model.se": None}),
            (f"SE-{backbone}", plain | {"model.se.reduction": 16}),
        )
    },
    counterpart={"model.se": None},
    seeds=3,
    margin=0.01,
    published="cifar_architectures",
)
