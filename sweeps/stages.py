"""In which stage of the network does the block earn its place?

Table 13 of "Squeeze-and-Excitation Networks" (arXiv 1709.01507v4); on digits with a ResNet-50 an
eighth as wide.
"""

from senet_lab import Sweep, recipes

SWEEP = Sweep(
    base=recipes.DIGITS_RESNET50,
    variants={
        "SE_Stage_2": {"model.se.stages": [2]},
        "SE_Stage_3": {"model.se.stages": [3]},
        "SE_Stage_4": {"model.se.stages": [4]},
        "SE_All": {"model.se.stages": "all"},
    },
    controls=["no_se"],
    baseline="no_se",
    seeds=6,
    margin=0.01,
    published="stages",
)
