"""senet-lab: does this choice in a channel-attention block matter here, and how sure are we?"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from senet_lab import recipes as recipes
    from senet_lab.spec import SE as SE
    from senet_lab.spec import Data as Data
    from senet_lab.spec import Model as Model
    from senet_lab.spec import Sweep as Sweep
    from senet_lab.spec import Train as Train
    from senet_lab.spec import Trial as Trial

__all__ = ["SE", "Data", "Model", "Sweep", "Train", "Trial", "recipes"]


def __getattr__(name: str) -> Any:
    """The public names, loaded at their first use: the command line has to answer at once."""
    if name not in __all__:
        raise AttributeError(f"module 'senet_lab' has no attribute {name!r}", name=name, obj=__import__(__name__))
    from importlib import import_module

    return import_module("senet_lab.recipes") if name == "recipes" else getattr(import_module("senet_lab.spec"), name)
