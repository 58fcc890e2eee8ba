"""Does SE help networks made for small devices, each compared to itself without SE?

Table 3 of "Squeeze-and-Excitation Networks" (arXiv 1709.01507v4); on digits each network is half as
wide, with a stem for small images. On ImageNet: `--recipe imagenet_100`.
"""

from senet_lab import MobileNet, Sweep, Trial, recipes

BACKBONES = {
    "MobileNet": {"model.family": "mobilenet"},
    "ShuffleNet": {"model.family": "shufflenet"},
}

SWEEP = Sweep(
    base=Trial(
        model=MobileNet(width=0.5, small_images=True),
        data=recipes.DIGITS_RESNET50.data,
        train=recipes.DIGITS_RESNET50.train,
    ),
    variants={
        name: settings
        for backbone, plain in BACKBONES.items()
        for name, settings in (
            (backbone, plain | {"model.se": None}),
            (f"SE-{backbone}", plain | {"model.se.reduction": 16}),
        )
    },
    counterpart={"model.se": None},
    seeds=6,
    margin=0.01,
    published="mobile_architectures",
)
