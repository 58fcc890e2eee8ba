"""Which SE block gives the lowest error for how many parameters?

Reduction per stage, placement, squeeze and gate, and whether there is a block at all: error against parameters. What
is on the front is trained again on fresh seeds, beside the network without SE.
"""

from senet_lab import Choice, Search, recipes

REDUCTIONS = [2, 4, 8, 16]
WITH_SE = {"model.se": "on"}

SWEEP = Search(
    base=recipes.DIGITS,
    space={
        "model.se": Choice(options={"off": None, "on": {}}),
        "model.se.reduction_in.stage2": Choice(options=REDUCTIONS, when=WITH_SE),
        "model.se.reduction_in.stage3": Choice(options=REDUCTIONS, when=WITH_SE),
        "model.se.placement": Choice(options=["standard", "pre", "post", "identity"], when=WITH_SE),
        "model.se.squeeze": Choice(options=["avg", "max"], when=WITH_SE),
        "model.se.gate": Choice(options=["sigmoid", "tanh", "relu"], when=WITH_SE),
    },
    objectives=["error", "params"],
    sampler="nsga2",
    trials=64,
    batch=16,
    confirm=6,
    seeds=10,
    margin=0.005,
)
