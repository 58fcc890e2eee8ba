"""A network's answers on a part of the data, without gradients."""

import base64

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_lab.data.split import Part, Parts
from senet_lab.records import Evaluation

BATCH = 512


def final_test(network: nn.Module, parts: Parts) -> Evaluation:
    """The number that is reported: the test part, with the weights of the last epoch."""
    return evaluate(network, parts.test)


@torch.no_grad()
def evaluate(network: nn.Module, part: Part) -> Evaluation:
    """Top-1 error and mean cross-entropy of `network` in evaluation mode; its mode is put back."""
    mode = network.training
    network.eval()
    logits_NK: Tensor = torch.cat([network(x_NCHW) for x_NCHW in torch.split(part.x_NCHW, BATCH)])
    network.train(mode)
    correct_N = (logits_NK.argmax(1) == part.y_N).cpu().numpy()
    return Evaluation(
        error=float(1 - correct_N.mean()),
        loss=float(F.cross_entropy(logits_NK, part.y_N)),
        images=len(correct_N),
        correct=base64.b64encode(np.packbits(correct_N).tobytes()).decode(),
    )
