"""Where in the residual unit should the block stand?

Tables 14 and 15 of "Squeeze-and-Excitation Networks" (arXiv 1709.01507v4), the places of its Fig. 5;
on digits with a ResNet-50 an eighth as wide.
"""

from senet_lab import Sweep, recipes

SWEEP = Sweep(
    base=recipes.DIGITS_RESNET50,
    variants={
        "SE": {"model.se.placement": "standard"},
        "SE-PRE": {"model.se.placement": "pre"},
        "SE-POST": {"model.se.placement": "post"},
        "SE-Identity": {"model.se.placement": "identity"},
        "SE_3x3": {"model.se.placement": "conv3x3"},
    },
    baseline="SE",
    seeds=6,
    margin=0.01,
    published="integration",
)
