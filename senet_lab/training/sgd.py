"""SGD as torch has it, without what ties it to torch's compiler.

torch's own class imports the compiler when it is first made, 2 s in every process, and tells it about every step.
Nothing is compiled here.
"""

from inspect import unwrap

import torch


class SGD(torch.optim.SGD):
    """The same steps, the same state."""

    step = torch.no_grad()(unwrap(torch.optim.SGD.step))
    step.hooked = True  # or torch wraps it again, for its profiler
    zero_grad = unwrap(torch.optim.SGD.zero_grad)
    add_param_group = unwrap(torch.optim.SGD.add_param_group)
    state_dict = unwrap(torch.optim.SGD.state_dict)
    load_state_dict = unwrap(torch.optim.SGD.load_state_dict)
