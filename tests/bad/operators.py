"""Sweep files with wrong operators of their own."""

from tests.bad.case import Case, good, mine

FORWARD = "x.mean(dim=(2, 3))"
FILE = """
import torch
from senet_lab import gate, squeeze


@{mark}
class Mine(torch.nn.Module):
    def __init__(self{asks}):
        super().__init__()

    def forward(self, x):
        return {forward}

"""


def own(
    mark: str, *says: str, forward: str = FORWARD, asks: str = "", setting: str = "squeeze", value: str = ""
) -> Case:
    """A file that marks a class with `mark` and asks for `value`, or for the name in the mark."""
    name = value or mark.partition("(")[2].strip(")'\"")
    text = good(grid=f'{{"model.se.{setting}": ["{name}"]}}')
    head, sweep = text.split("SWEEP", 1)
    return Case("plan mine.py", says, mine(head + FILE.format(mark=mark, asks=asks, forward=forward) + "SWEEP" + sweep))


OPERATORS = {
    "a squeeze that senet-lab has": own("squeeze('avg')", "mine.py:9: @squeeze('avg')", "choose another one"),
    "a gate that senet-lab has": own("gate('tanh')", "@gate('tanh')", "choose another one", value="avg"),
    "a name with capitals": own("squeeze('GeM')", "@squeeze: found 'GeM'", "lower-case letters, digits and _"),
    "a name with a path in it": own(
        "squeeze('../gem')", "@squeeze: found '../gem'", "lower-case letters, digits and _"
    ),
    "an empty name": own("squeeze('')", "@squeeze: found ''", "lower-case letters", value="avg"),
    "a name that is a number": own("squeeze(3)", "@squeeze: found 3", "lower-case letters", value="avg"),
    "no name": own("squeeze", "mine.py:9: @squeeze: found no name", "write @squeeze('name')", value="avg"),
    "a name misspelt where it is asked for": own(
        "squeeze('gem')",
        "found 'gemm'; did you mean 'gem'?",
        "allowed: avg, max, none",
        "@squeeze('gemm')",
        value="gemm",
    ),
    "a squeeze asked for as a gate": own("squeeze('gem_a')", "found 'gem_a'", "@gate('gem_a')", setting="gate"),
    "a squeeze that keeps half the map": own(
        "squeeze('half')", "mine.py: squeeze 'half' made", "a squeeze makes (N, C)", forward="x.mean(dim=3)"
    ),
    "a squeeze that raises": own(
        "squeeze('raises')", "mine.py: squeeze 'raises' failed on a small map", "mend it there", forward="x.nowhere"
    ),
    "a squeeze that cannot be trained": own(
        "squeeze('detached')",
        "mine.py: squeeze 'detached' failed",
        "mend it there",
        forward="x.mean(dim=(2, 3)).detach().numpy()",
    ),
    "a squeeze that asks for more than channels": own(
        "squeeze('asks')", "mine.py: squeeze 'asks' failed on a small map", "missing 1 required", asks=", height"
    ),
    "a gate of another shape": own(
        "gate('single')", "gate 'single' made (2, 1)", "a gate keeps the shape", forward="x[:, :1]", setting="gate"
    ),
}
