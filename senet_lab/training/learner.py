"""What a training is between two epochs, and as bytes: a network and its optimizer."""

import io
import json
import math
from collections.abc import Mapping
from types import MethodType

import torch
from torch import Tensor, nn

from senet_lab.records import EpochMetrics
from senet_lab.spec import Train
from senet_lab.training.sgd import SGD


class Learner:
    """A network and its optimizer between two epochs: all that the next epoch depends on."""

    def __init__(self, network: nn.Module, train: Train) -> None:
        self.network = network
        use_precision(network, train)
        decayed = [p for p in network.parameters() if p.ndim > 1]
        free = [p for p in network.parameters() if p.ndim <= 1]
        fused = all(p.is_cuda for p in network.parameters())
        self.optimizer = SGD(
            [{"params": decayed, "weight_decay": train.weight_decay}, {"params": free, "weight_decay": 0.0}],
            lr=train.learning_rate,
            momentum=train.momentum,
            nesterov=train.nesterov and train.momentum > 0,
            fused=fused,
            foreach=not fused,  # the bits of the loop over single tensors, in half the time; fused rounds differently
        )
        self.epochs: tuple[EpochMetrics, ...] = ()

    def to_bytes(self) -> bytes:
        """The whole state; the streams need no saving, they are derived from seed and epoch."""
        momenta = {str(i): kept["momentum_buffer"] for i, kept in self.optimizer.state_dict()["state"].items()}
        state = {"network": _packed(self.network.state_dict()), "momenta": _packed(momenta)}
        buffer = io.BytesIO()
        torch.save(state | {"epochs": [m.model_dump() for m in self.epochs]}, buffer)
        return buffer.getvalue()

    def load_bytes(self, payload: bytes) -> None:
        """Go back to a state of `to_bytes`. Never unpickles anything but tensors and plain values."""
        state = torch.load(io.BytesIO(payload), weights_only=True, map_location="cpu")
        self.network.load_state_dict(_unpacked(*state["network"]))
        moved = [p for group in self.optimizer.param_groups for p in group["params"]]
        momenta = {moved[int(i)]: momentum for i, momentum in _unpacked(*state["momenta"]).items()}
        self.optimizer.state.clear()
        for p, momentum in momenta.items():
            self.optimizer.state[p]["momentum_buffer"] = torch.empty_like(p).copy_(momentum)  # its order in memory too
        self.epochs = tuple(EpochMetrics.model_validate(m) for m in state["epochs"])


def use_precision(network: nn.Module, train: Train) -> None:
    """Let `network` answer in the precision of `train`, whoever calls it, also to test it."""
    if train.precision == "bfloat16":
        network.forward = MethodType(_in_bfloat16, network)


def _in_bfloat16(network: nn.Module, x_BCHW: Tensor) -> Tensor:
    """The logits of `network` in float32; what the weights multiply, and all between, is rounded to bfloat16."""
    with torch.autocast(x_BCHW.device.type, torch.bfloat16):
        logits_BK: Tensor = type(network).forward(network, x_BCHW)
    return logits_BK.float()


def _packed(tensors: Mapping[str, Tensor]) -> tuple[str, Tensor]:
    """Names, dtypes and shapes, and all bytes end to end: pickled and fetched from a GPU as one tensor, not as many."""
    layout = [(name, str(t.dtype).removeprefix("torch."), list(t.shape)) for name, t in tensors.items()]
    pieces = [t.detach().reshape(-1).view(torch.uint8) for t in tensors.values()]
    return json.dumps(layout), (torch.cat(pieces) if pieces else torch.empty(0, dtype=torch.uint8)).cpu()


def _unpacked(layout: str, content: Tensor) -> dict[str, Tensor]:
    found, start = {}, 0
    for name, dtype, shape in json.loads(layout):
        kind: torch.dtype = getattr(torch, dtype)
        end = start + math.prod(shape) * kind.itemsize
        found[name], start = content[start:end].clone().view(kind).view(shape), end  # a copy begins at a whole number
    return found
