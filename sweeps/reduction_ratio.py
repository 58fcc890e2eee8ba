"""How narrow may the excitation bottleneck be, and does the block help at all?

Table 10 of "Squeeze-and-Excitation Networks" (arXiv 1709.01507v4), with the control that the
other rows need: the same network without SE.
"""

from senet_lab import Sweep, recipes

SWEEP = Sweep(
    base=recipes.DIGITS,
    grid={"model.se.reduction": [2, 4, 8, 16, 32]},
    controls=["no_se"],
    baseline="no_se",
    seeds=20,
    margin=0.005,
    published="reduction_ratio",
)
