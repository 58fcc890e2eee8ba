"""Does SE help every backbone, each compared to itself without SE?

Table 2 of "Squeeze-and-Excitation Networks" (arXiv 1709.01507v4); on digits each network is an
eighth as wide, with a stem for small images. Table 2's own protocol: `--recipe imagenet_100`.
"""

from senet_lab import Sweep, recipes

BACKBONES = {
    "ResNet-50": {"model.family": "resnet", "model.depth": 50},
    "ResNet-101": {"model.family": "resnet", "model.depth": 101},
    "ResNet-152": {"model.family": "resnet", "model.depth": 152},
    "ResNeXt-50": {"model.family": "resnext", "model.depth": 50},
    "ResNeXt-101": {"model.family": "resnext", "model.depth": 101},
    "VGG-16": {"model.family": "vgg", "model.depth": 16},
    "BN-Inception": {"model.family": "bn_inception"},
    "Inception-ResNet-v2": {"model.family": "inception_resnet_v2"},
}

SWEEP = Sweep(
    base=recipes.DIGITS_RESNET50,
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
    published="architectures",
)
