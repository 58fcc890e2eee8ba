"""Does the gate have to be a sigmoid, or would tanh or ReLU do?

Table 12 of "Squeeze-and-Excitation Networks" (arXiv 1709.01507v4).
"""

from senet_lab import Sweep, recipes

SWEEP = Sweep(
    base=recipes.DIGITS,
    grid={"model.se.gate": ["relu", "tanh", "sigmoid"]},
    baseline={"model.se.gate": "sigmoid"},
    seeds=20,
    margin=0.005,
    published="excitation_operator",
)
