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
    losses, right = [], []
    for x_BCHW, y_B in part.in_order(BATCH):
        logits_BK: Tensor = network(x_BCHW)
        losses.append(F.cross_entropy(logits_BK, y_B, reduction="none"))
        right.append(logits_BK.argmax(1) == y_B)
    network.train(mode)
    correct_N = torch.cat(right).cpu().numpy()
    return Evaluation(
        error=float(1 - correct_N.mean()),
        loss=float(torch.cat(losses).mean()),
        images=len(correct_N),
        correct=base64.b64encode(np.packbits(correct_N).tobytes()).decode(),
    )
