"""Energy from made-up meters: counters that begin again, parts of a package that must not count twice, and no meter."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from senet_lab.meters import Counter, Meters


def no_library(name: str) -> Any:
    raise OSError(f"{name}: cannot open shared object file")


def domain(folder: Path, name: str, energy: int, most: int = 1_000_000_000) -> Path:
    folder.mkdir(parents=True)
    for file, text in (("name", name), ("energy_uj", str(energy)), ("max_energy_range_uj", str(most))):
        (folder / file).write_text(f"{text}\n")
    return folder / "energy_uj"


def test_packages_are_added_up_and_their_parts_are_not(tmp_path: Path) -> None:
    first = domain(tmp_path / "intel-rapl:0", "package-0", 5_000_000)
    second = domain(tmp_path / "intel-rapl:1", "package-1", 0)
    core = domain(tmp_path / "intel-rapl:0:0", "core", 0)
    board = domain(tmp_path / "intel-rapl:2", "psys", 0)
    again = domain(tmp_path / "intel-rapl-mmio:0", "package-0", 5_000_000)
    meters = Meters(tmp_path, no_library)
    assert meters.joules() == {"RAPL": 0.0}
    for path, now in ((first, 7_000_000), (second, 1_000_000), (core, 9_000_000), (board, 9_000_000), (again, 9)):
        path.write_text(str(now))
    assert meters.joules() == {"RAPL": pytest.approx(3.0)}


def test_a_counter_that_begins_again_goes_on(tmp_path: Path) -> None:
    path = domain(tmp_path / "intel-rapl:0", "package-0", 9_000_000, 10_000_000)
    meters = Meters(tmp_path, no_library)
    for now, total in ((1_000_000, 2.0), (8_000_000, 9.0), (3_000_000, 14.0)):
        path.write_text(str(now))
        assert meters.joules()["RAPL"] == pytest.approx(total)


def test_a_counter_that_was_reset_counts_from_nothing() -> None:
    readings = iter([100.0, 130.0, 5.0])
    counter = Counter(lambda: next(readings))
    assert (counter.joules(), counter.joules()) == (30.0, 35.0)


def test_a_counter_that_cannot_be_read_any_more_keeps_what_it_told(tmp_path: Path) -> None:
    path = domain(tmp_path / "intel-rapl:0", "package-0", 0)
    meters = Meters(tmp_path, no_library)
    path.write_text("4000000")
    assert meters.joules() == {"RAPL": pytest.approx(4.0)}
    for broken in ("", "none"):
        path.write_text(broken)
        assert meters.joules() == {"RAPL": pytest.approx(4.0)}
    path.unlink()
    assert meters.joules() == {"RAPL": pytest.approx(4.0)}


def test_what_only_root_may_read_is_no_meter(tmp_path: Path) -> None:
    domain(tmp_path / "intel-rapl:0", "package-0", 0)
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    assert Meters(tmp_path, no_library).joules() == {}
    assert Meters(tmp_path / "nowhere", no_library).joules() == {}


class Library:
    """NVML with GPUs that have used so many millijoules; None: too old to say."""

    def __init__(self, *used: int | None, fails: int = 0) -> None:
        self.used, self.fails = list(used), fails

    def nvmlInit_v2(self) -> int:
        return self.fails

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        count._obj.value = len(self.used)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: ctypes.c_uint, device: Any) -> int:
        device._obj.value = 1 + index.value
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, device: ctypes.c_void_p, energy: Any) -> int:
        used = self.used[(device.value or 0) - 1]
        if used is None:
            return 3
        energy._obj.value = used
        return 0


def give(library: Any) -> Callable[[str], Any]:
    return lambda name: library


def test_gpus_are_added_up(tmp_path: Path) -> None:
    library = Library(10_000, 20_000, None)
    meters = Meters(tmp_path, give(library))
    assert meters.joules() == {"NVML": 0.0}
    library.used = [11_500, 2**40, None]
    assert meters.joules() == {"NVML": pytest.approx(1.5 + (2**40 - 20_000) / 1000)}


@pytest.mark.parametrize("library", [Library(None), Library(5, fails=9), Library(), object()])
def test_without_a_gpu_that_tells_there_is_no_meter(tmp_path: Path, library: Any) -> None:
    assert Meters(tmp_path, give(library)).joules() == {}


def test_this_machine_has_meters_or_none_and_no_failure() -> None:
    assert all(joules >= 0 for joules in Meters().joules().values())
