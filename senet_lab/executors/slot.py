"""What one trial gets of a machine."""

from dataclasses import dataclass, replace

SWITCHES = {
    "OMP_NUM_THREADS": "1",
    # Keep big tensors in the process instead of giving them back to the kernel each step: +10 %.
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "68719476736",
}
"""Environment of a worker process; has to stand before the process starts."""


@dataclass(frozen=True)
class Slot:
    """Cores and the part of a GPU that a trial holds while it runs."""

    cpus: int = 1
    gpus: float = 0.0
    """0.25: four trials share a GPU."""
    at_once: int | None = None
    """Trials at the same time; None: as many as there is room for."""

    whole_for_groups: bool = False
    """Whether trials that are trained together have a GPU for themselves."""

    @property
    def resources(self) -> dict[str, float]:
        """In Ray's words."""
        return {"CPU": self.cpus} | ({"GPU": self.gpus} if self.gpus else {})

    @property
    def shares_gpu(self) -> bool:
        """Whether other trials may have a part of the same GPU."""
        return 0 < self.gpus < 1

    def of(self, trials: int) -> "Slot":
        """What a group of so many gets."""
        return self.alone() if trials > 1 and self.gpus and self.whole_for_groups else self

    def alone(self) -> "Slot":
        """The same with a whole GPU, if it has a part of one."""
        return replace(self, gpus=max(1.0, self.gpus)) if self.gpus else self

    def roomier(self) -> "Slot":
        """The same with twice the part of a GPU, a whole one at most."""
        return replace(self, gpus=min(1.0, 2 * self.gpus) if self.shares_gpu else self.gpus)
