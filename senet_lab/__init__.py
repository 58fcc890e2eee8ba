"""senet-lab: does this choice in a channel-attention block matter here, and how sure are we?"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from senet_lab import recipes as recipes
    from senet_lab.blocks.gate import gate as gate
    from senet_lab.blocks.squeeze import squeeze as squeeze
    from senet_lab.results import open_sweep as open  # noqa: F401
    from senet_lab.spec import ASHA as ASHA
    from senet_lab.spec import SE as SE
    from senet_lab.spec import VGG as VGG
    from senet_lab.spec import BNInception as BNInception
    from senet_lab.spec import Choice as Choice
    from senet_lab.spec import CifarResNet as CifarResNet
    from senet_lab.spec import Data as Data
    from senet_lab.spec import Float as Float
    from senet_lab.spec import InceptionResNetV2 as InceptionResNetV2
    from senet_lab.spec import Int as Int
    from senet_lab.spec import Median as Median
    from senet_lab.spec import MobileNet as MobileNet
    from senet_lab.spec import Model as Model
    from senet_lab.spec import PreActResNet as PreActResNet
    from senet_lab.spec import ResNet as ResNet
    from senet_lab.spec import ResNeXt as ResNeXt
    from senet_lab.spec import Search as Search
    from senet_lab.spec import SENet as SENet
    from senet_lab.spec import ShakeShake as ShakeShake
    from senet_lab.spec import ShuffleNet as ShuffleNet
    from senet_lab.spec import Sweep as Sweep
    from senet_lab.spec import Train as Train
    from senet_lab.spec import Trial as Trial
    from senet_lab.spec import Tune as Tune
    from senet_lab.spec import WideResNet as WideResNet
    from senet_lab.spec import apply as apply

__all__ = [
    "ASHA",
    "SE",
    "VGG",
    "BNInception",
    "Choice",
    "CifarResNet",
    "Data",
    "Float",
    "InceptionResNetV2",
    "Int",
    "Median",
    "MobileNet",
    "Model",
    "PreActResNet",
    "ResNeXt",
    "ResNet",
    "SENet",
    "Search",
    "ShakeShake",
    "ShuffleNet",
    "Sweep",
    "Train",
    "Trial",
    "Tune",
    "WideResNet",
    "apply",
    "gate",
    "recipes",
    "squeeze",
]


def __getattr__(name: str) -> Any:
    """The public names, loaded at their first use: the command line has to answer at once."""
    if name not in __all__ and name != "open":  # which `from senet_lab import *` must not put over Python's
        raise AttributeError(f"module 'senet_lab' has no attribute {name!r}", name=name, obj=__import__(__name__))
    from importlib import import_module

    if name == "recipes":
        return import_module("senet_lab.recipes")
    if name == "open":
        return import_module("senet_lab.results").open_sweep
    home = f"senet_lab.blocks.{name}" if name in ("gate", "squeeze") else "senet_lab.spec"
    return getattr(import_module(home), name)
