"""Does it matter how a feature map becomes one number per channel: by its mean or by its maximum?

Table 11 of "Squeeze-and-Excitation Networks" (arXiv 1709.01507v4).
"""

from senet_lab import Sweep, recipes

SWEEP = Sweep(
    base=recipes.DIGITS,
    grid={"model.se.squeeze": ["max", "avg"]},
    baseline={"model.se.squeeze": "avg"},
    seeds=20,
    margin=0.005,
    published="squeeze_operator",
)
