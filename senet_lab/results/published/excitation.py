"""The curves of the paper's figures of excitation (v4 Figs. 6 and 7), measured from their vector graphics."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from senet_lab.results.published.entries import lines

CLASSES: Mapping[str, str] = MappingProxyType(
    {"goldfish": "n01443537", "pug": "n02110958", "plane": "n03954731", "cliff": "n09246464"}
)
"""Class -> WNID, in the figures' order. The plane is the tool of carpenters: v4 Fig. 8(c) shows one."""
PER_CLASS, ALL = 50, 50_000
"""Images behind a class's line and behind that of all: ImageNet's validation part (v4 7.2)."""
SOURCE = "SE-ResNet-50 on ImageNet, one network, digitised from arXiv:1709.01507v4 Figs. 6 and 7"


def curves() -> pd.DataFrame:
    """A line per block, class and channel, in the columns of a trial's gates; classes go by `CLASSES`, -1 is all.

    `sd` is the half-width of Fig. 7's band, taken as one standard deviation (the paper does not say); NaN
    for what that figure leaves out.
    """
    numbers = {name: number for number, name in enumerate(CLASSES)} | {"all": -1}
    found = pd.DataFrame(lines("excitation_curves_digitised"))
    label = found["image_class"].map(numbers)
    return pd.DataFrame(
        {
            "block": found["se_module"].astype("str"),
            "class": label.astype("int64"),
            "image": -1,
            "channel": found["channel_index_zero_based"].astype("int64"),
            "channels": found["channels_in_module"].astype("int64"),
            "images": np.where(label < 0, ALL, PER_CLASS),
            "mean": found["mean_activation"].astype("float64"),
            "sd": pd.to_numeric(found["std_band_half_width"]).astype("float64"),
        }
    )
