"""`--together`: how many trials of a shape are trained as one program."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from senet_lab.commands import console
from senet_lab.plan import PlannedTrial
from senet_lab.shapes import by_shape
from senet_lab.spec import Trial

AUTO = "auto"
ON_A_CLUSTER = (
    f"--together {AUTO}: one at a time, as what is best on a cluster's machines cannot be measured from here; a number "
    "is taken as it is"
)


@dataclass
class Together:
    """How many, as asked for or as measured once a command."""

    asked: str | None
    """A number, AUTO, or None: AUTO where there is a GPU, else 1."""
    executor: str
    address: str | None
    gpus_per_trial: float | None
    data_dir: Path
    best: dict[str, int] = field(default_factory=dict)
    """Shape -> trials, as measured."""

    def sizes(self, due: Sequence[PlannedTrial], places: Callable[[float | None], int]) -> dict[str, int]:
        """Shape -> how many of `due` are trained together; 1 for shapes that are not in it.

        `places`: how many groups run at once where each has such a share of a GPU (None: the default); measured sizes
        leave none of them without work.
        """
        kinds = by_shape([t.trial for t in due])
        several = {kind: [due[i].trial for i in members] for kind, members in kinds.items() if len(members) > 1}
        if not several:
            return {}
        if (asked := self._asked()) != AUTO:
            return dict.fromkeys(several, int(asked)) if int(asked) > 1 else {}
        self._measure({kind: own for kind, own in several.items() if kind not in self.best})
        at_once = places(1.0 if self.gpus_per_trial is None else self.gpus_per_trial)
        found = {kind: min(self.best[kind], -(-len(own) // at_once)) for kind, own in several.items()}
        return {kind: size for kind, size in found.items() if size > 1}

    def share(self, sizes: dict[str, int]) -> float | None:
        """Of a GPU, what a group has; None: as by default."""
        return 1.0 if sizes and self.gpus_per_trial is None else self.gpus_per_trial

    def _asked(self) -> str:
        if self.asked is None:
            return AUTO if self.address is None and self._device() == "cuda" else "1"
        if self.asked == AUTO and self.address is not None:
            console.print(ON_A_CLUSTER, soft_wrap=True)
            self.asked = "1"
        return self.asked

    def _device(self) -> str:
        """Where trials of this command run on this machine; does not wake a GPU."""
        import torch

        here = self.executor == "ray" and self.gpus_per_trial != 0 and torch.cuda.device_count() > 0
        return "cuda" if here else "cpu"

    def _measure(self, several: dict[str, list[Trial]]) -> None:
        """Find out the best size of each shape by one of its trials, and say it."""
        from senet_lab import sizes

        shown = [next((t for t in own if t.model.se is not None), own[0]) for own in several.values()]
        told = sizes.measured(shown, self._device(), self.data_dir)
        for kind, trial, size in zip(several, shown, told, strict=True):
            self.best[kind] = 1 if isinstance(size, Exception) else size
            if isinstance(size, Exception):
                text = f"one at a time, as the best number could not be measured ({type(size).__name__}: {size})"
            else:
                text = f"{size} trials together" if size > 1 else "one at a time, which is as fast as together here"
            console.print(f"{trial.model.name}: {text}", markup=False, soft_wrap=True)


def rows_together(due: Sequence[PlannedTrial], sizes: dict[str, int]) -> set[Trial]:
    """The rows of `due` that have trials which are trained together, as `Together.sizes` has it."""
    kinds = by_shape([t.trial for t in due])
    return {due[i].variant.trial for kind, members in kinds.items() if kind in sizes for i in members}
