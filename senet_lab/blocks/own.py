"""Operators that a sweep file defines: made known in this process, whichever file was read last, and tried out."""

import linecache
import sys
from types import ModuleType

import torch

from senet_lab.blocks.gate import GATES
from senet_lab.blocks.se import SEBlock
from senet_lab.blocks.squeeze import SQUEEZES, Maker
from senet_lab.errors import SpecError
from senet_lab.spec import Kind, Source, Trial
from senet_lab.spec.operators import Operator

TABLES: dict[Kind, dict[str, Maker]] = {"squeeze": SQUEEZES, "gate": GATES}
_made: dict[Source, dict[Operator, Maker]] = {}
"""What the operators of a file stand for, so that it is executed once."""


def use(source: Source | None) -> None:
    """Let the operators of `source` mean what it says, whatever file was read last. Workers know them by this alone."""
    if source is None:
        return
    if source not in _made:
        _execute(source)
        _made[source] = {(kind, name): TABLES[kind][name] for kind, name in source.operators}
    for (kind, name), make in _made[source].items():
        TABLES[kind][name] = make


def _execute(source: Source) -> None:
    file = f"{source.name}.py"
    module = ModuleType(f"senet_lab_sweeps.{source.name}")
    module.__file__ = file
    sys.modules[module.__name__] = module
    linecache.cache[file] = (len(source.text), None, source.text.splitlines(keepends=True), file)  # for tracebacks
    exec(compile(source.text, file, "exec"), module.__dict__)


def try_out(trial: Trial, source: Source) -> None:
    """Run the block of `trial` forward and back on a small map. Raises SpecError saying which operator fails."""
    se = trial.model.se
    asked: list[Operator] = [] if se is None else [("squeeze", se.squeeze), ("gate", se.gate)]
    own = [f"{kind} {name!r}" for kind, name in asked if (kind, name) in source.operators]
    if se is None or not own:
        return
    use(source)
    channels = max(unit.channels(se.placement) for unit in trial.model.units)
    x_NCHW = torch.linspace(-1, 1, 2 * channels * 16).view(2, channels, 4, 4).requires_grad_()
    try:
        block = SEBlock(channels, se)
        pooled = block.squeeze(x_NCHW)
        wrong = None if pooled.shape in ((2, channels), (2, 4, 4, channels)) else ("squeeze", se.squeeze, pooled)
        if not wrong:
            weights = block.excitation(x_NCHW)
            wrong = None if weights.shape == pooled.shape else ("gate", se.gate, weights)
            block(x_NCHW).sum().backward()
    except Exception as error:
        raise SpecError(
            f"{source.name}.py: {' and '.join(own)} failed on a small map, (N, C, H, W) = (2, {channels}, 4, 4): "
            f"{type(error).__name__}: {error}; mend it there"
        ) from error
    if wrong:
        kind, name, made = wrong
        given = f"(N, C, H, W) = (2, {channels}, 4, 4)" if kind == "squeeze" else f"(N, C) = {tuple(pooled.shape)}"
        raise SpecError(
            f"{source.name}.py: {kind} {name!r} made {tuple(made.shape)} of {given}; "
            f"a squeeze makes (N, C), a number per channel, or (N, H, W, C), and a gate keeps the shape"
        )
