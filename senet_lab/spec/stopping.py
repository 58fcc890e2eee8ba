"""Which candidates of a search end before their last epoch, by what they reach until then."""

from typing import Annotated

from annotated_types import Ge, Lt

from senet_lab.spec.values import Positive, Spec


class ASHA(Spec):
    """Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934), as Ray Tune has it.

    At epoch g, g x f, g x f^2, ... a trial goes on if its validation error is among the best 1/f of those that came
    there before it; g is `grace_epochs`, f is `reduction_factor`.
    """

    grace_epochs: Positive = 1
    """Epochs that every trial gets."""
    reduction_factor: Annotated[int, Ge(2), Lt(2**31)] = 4


class Median(Spec):
    """The median stopping rule (Golovin et al. 2017, Google Vizier, section 3.2.1), as Ray Tune has it.

    A trial ends where its best validation error so far is above the median of the others' means up to that epoch.
    """

    grace_epochs: Positive = 1
    """Epochs that every trial gets; means begin with the last of them."""
    fewest: Positive = 3
    """Of other trials that came as far, so many are needed before one is ended."""
