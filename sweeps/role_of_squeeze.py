"""Does the block need to see the whole image, or are two 1x1 convolutions and a gate at each position as good?

Table 16 of "Squeeze-and-Excitation Networks" (arXiv 1709.01507v4); on digits with a ResNet-50 an
eighth as wide.
"""

from senet_lab import Sweep, recipes

SWEEP = Sweep(
    base=recipes.DIGITS_RESNET50,
    variants={
        "NoSqueeze": {"model.se.squeeze": "none"},
        "SE": {"model.se.squeeze": "avg"},
    },
    controls=["no_se"],
    baseline="SE",
    seeds=6,
    margin=0.01,
    published="role_of_squeeze",
)
