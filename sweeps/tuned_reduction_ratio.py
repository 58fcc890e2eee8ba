"""Does the bottleneck's width matter once every width has a recipe of its own?

The rows of `reduction_ratio`, each with its own study: as many learning rates and weight decays are tried for the
network without SE as for each with it, and judged on validation images. What is best is trained again on fresh seeds.
"""

from senet_lab import Float, Sweep, Tune, recipes

SWEEP = Sweep(
    base=recipes.DIGITS,
    grid={"model.se.reduction": [2, 4, 8, 16, 32]},
    controls=["no_se"],
    baseline="no_se",
    seeds=20,
    margin=0.005,
    published="reduction_ratio",
    tune=Tune(
        space={
            "train.learning_rate": Float(low=0.01, high=1.0, log=True),
            "train.weight_decay": Float(low=1e-5, high=1e-2, log=True),
        },
        trials=16,
    ),
)
