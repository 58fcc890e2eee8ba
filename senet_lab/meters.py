"""Energy that this machine has used, where it has a meter: RAPL for processors, NVML for NVIDIA GPUs.

RAPL: https://docs.kernel.org/power/powercap/powercap.html, microjoules that begin again at 0. A `package` is a
processor with all that is in it; its parts, and the same package by another way, would count twice. On most systems
only root may read it. NVML: `nvmlDeviceGetTotalEnergyConsumption`, millijoules since the driver was loaded, of Volta
and later; its library comes with the driver. What cannot be read is no meter, and no failure.
"""

import ctypes
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
NVML = "libnvidia-ml.so.1"
MICRO, MILLI = 1e-6, 1e-3


@dataclass
class Counter:
    """Adds up a counter that begins again at 0, as long as it is read at least once a round."""

    read: Callable[[], float]
    """Joules since some moment; raises OSError or ValueError if it cannot."""
    wraps_at: float = math.inf
    """Joules after which it begins again; infinite: only when it is reset, of which it tells nothing."""
    total: float = 0.0
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.read()

    def joules(self) -> float:
        """Since this was made, or as far as it could be read."""
        with suppress(OSError, ValueError):
            now = self.read()
            step = now - self.last
            if step < 0:
                step = now if math.isinf(self.wraps_at) else step + self.wraps_at
            self.total, self.last = self.total + step, now
        return self.total


class Meters:
    """All meters of this machine, from now on."""

    def __init__(self, powercap: Path = POWERCAP, library: Callable[[str], Any] = ctypes.CDLL) -> None:
        kinds = {"RAPL": list(_rapl(powercap)), "NVML": list(_nvml(library))}
        self.counters: Mapping[str, list[Counter]] = {name: found for name, found in kinds.items() if found}

    def joules(self) -> dict[str, float]:
        """Meter -> energy since this was made, over all processors or GPUs; empty without a meter."""
        return {name: sum(c.joules() for c in found) for name, found in self.counters.items()}


def _rapl(powercap: Path) -> Iterator[Counter]:
    for domain in sorted(powercap.glob("intel-rapl:*")):  # AMD's, too; the parts of a package stand beside it
        with suppress(OSError, ValueError):
            if (domain / "name").read_text().startswith("package"):
                yield Counter(_file(domain / "energy_uj"), _file(domain / "max_energy_range_uj")())


def _file(path: Path) -> Callable[[], float]:
    return lambda: int(path.read_text()) * MICRO


def _nvml(library: Callable[[str], Any]) -> Iterator[Counter]:
    with suppress(OSError, AttributeError, ValueError):
        nvml = library(NVML)
        _asked(nvml.nvmlInit_v2)
        count = ctypes.c_uint()
        _asked(nvml.nvmlDeviceGetCount_v2, ctypes.byref(count))
        for number in range(count.value):
            device = ctypes.c_void_p()
            _asked(nvml.nvmlDeviceGetHandleByIndex_v2, ctypes.c_uint(number), ctypes.byref(device))
            with suppress(OSError):  # older than Volta
                yield Counter(_gpu(nvml, device))


def _gpu(nvml: Any, device: ctypes.c_void_p) -> Callable[[], float]:
    def read() -> float:
        energy = ctypes.c_ulonglong()
        _asked(nvml.nvmlDeviceGetTotalEnergyConsumption, device, ctypes.byref(energy))
        return energy.value * MILLI

    return read


def _asked(function: Callable[..., int], *given: object) -> None:
    """Raises OSError for anything but NVML_SUCCESS."""
    if code := function(*given):
        raise OSError(f"NVML answers {code}")
