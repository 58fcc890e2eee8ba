"""What is kept of the gates, and the file that keeps it."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from senet_lab import gates
from senet_lab.errors import StoreError
from senet_lab.gates import Block, Choice, Moments

LABELS = np.array([2, 0, 2, 0, 2, 2, 2, 2, 3])
NAMES = ("goldfish", "plane, carpenter's", "ä", "cliff")


def file(channels: int = 3, names: tuple[str, ...] = NAMES, labels: gates.Ints = LABELS) -> bytes:
    """Of one block; each number says where it belongs: mean = row + channel / 1000, rows from 1, 101, 201."""
    choice = Choice(names, labels)
    every = np.arange(channels)[None] / 1000
    kept, grid = every[:, :: choice.stride(channels)], every[:, :: gates.grid_stride(channels)]
    counts = np.array([(labels == k).sum() for k in choice.classes])
    block = Block(
        "SE_2_1",
        Moments(np.array([len(labels)]), 1 + every, 0.5 + every),
        Moments(counts, 101 + choice.classes[:, None] + kept, np.full((len(counts), kept.shape[1]), 0.25)),
        201 + choice.probe[:, None] + grid,
    )
    return gates.to_bytes([block], choice)


def test_every_number_comes_back_with_its_keys() -> None:
    table = gates.from_bytes(file())
    assert gates.class_names(table) == NAMES
    assert {f.name: str(f.type) for f in table.schema} == {
        "block": "dictionary<values=string, indices=int32, ordered=0>", "class": "int16", "image": "int32",
        "channel": "int32", "channels": "int32", "images": "int32", "mean": "float", "sd": "float",
    }  # fmt: skip
    found = [tuple(row.values()) for row in table.to_pylist()]
    expected = [("SE_2_1", -1, -1, c, 3, 9, 1 + c / 1000, 0.5 + c / 1000) for c in range(3)]
    for k, images in ((0, 2), (2, 6), (3, 1)):  # no test image is of class 1
        expected += [("SE_2_1", k, -1, c, 3, images, 101 + k + c / 1000, 0.25) for c in range(3)]
    for image in (0, 1, 2, 3, 4, 5, 6, 8):  # the sixth of class 2 is left out
        expected += [("SE_2_1", LABELS[image], image, c, 3, 1, 201 + image + c / 1000, 0.0) for c in range(3)]
    assert [row[:6] for row in found] == [row[:6] for row in expected]
    assert np.array([row[6:] for row in found]) == pytest.approx(np.array([row[6:] for row in expected]), rel=1e-6)


@pytest.mark.parametrize("module", ["SE_2_3", "SE_3_4", "SE_4_6", "SE_5_1", "SE_5_2", "SE_5_3"])
def test_the_grid_is_that_of_the_papers_figure(module: str, digitised: dict[str, list[int]]) -> None:
    channels = {"2": 256, "3": 512, "4": 1024, "5": 2048}[module[3]]
    assert list(range(channels))[:: gates.grid_stride(channels)] == digitised[module]


@pytest.fixture(scope="module")
def digitised() -> dict[str, list[int]]:
    """Zero-based channels of v4 Fig. 6 by block: stride and last one, as measured in the PDF."""
    measured = {"SE_2_3": (6, 252), "SE_3_4": (11, 506), "SE_4_6": (21, 1008)}
    measured |= {name: (41, 2009) for name in ("SE_5_1", "SE_5_2", "SE_5_3")}
    return {name: list(range(0, last + 1, stride)) for name, (stride, last) in measured.items()}


@pytest.mark.parametrize(
    ("classes", "channels", "stride"),
    [(10, 10_000, 1), (10, 10_001, 201), (1000, 100, 1), (1000, 101, 3), (1000, 256, 6), (2, 50, 1)],
)
def test_all_channels_are_kept_up_to_a_hundred_thousand_numbers(classes: int, channels: int, stride: int) -> None:
    assert Choice(tuple(map(str, range(classes))), LABELS).stride(channels) == stride


@pytest.mark.parametrize(
    ("classes", "probed"),
    [(2, [0, 1]), (10, list(range(10))), (11, [0, 2, 4, 6, 8, 10]), (23, list(range(0, 23, 3))),
     (1000, list(range(0, 1000, 100)))],
)  # fmt: skip
def test_the_probe_set_is_five_images_of_at_most_ten_classes(classes: int, probed: list[int]) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(classes), 7))
    choice = Choice(tuple(map(str, range(classes))), labels)
    expected = sorted(i for k in probed for i in [i for i, label in enumerate(labels) if label == k][:5])
    assert choice.probe.tolist() == expected and len(expected) == 5 * len(probed)
    assert choice.classes.tolist() == list(range(classes))


def test_of_very_many_classes_a_thousand_are_kept() -> None:
    names = tuple(map(str, range(40_000)))
    choice = Choice(names, np.arange(40_000)[::-1])
    assert len(choice.classes) <= 1000 and set(np.diff(choice.classes)) == {40}
    table = gates.from_bytes(file(2, names, choice.labels))
    assert set(table["class"].to_pylist()) == {-1, *range(0, 40_000, 40)}


def test_classes_without_test_images_are_not_chosen() -> None:
    """Every second of twenty, none of which the evenly spaced ones would be."""
    choice = Choice(tuple(map(str, range(20))), np.repeat(np.arange(1, 20, 2), 7))
    assert choice.classes.tolist() == list(range(1, 20, 2))
    assert choice.probe.tolist() == [7 * k + i for k in range(10) for i in range(5)]


def test_the_same_numbers_make_the_same_bytes() -> None:
    assert file() == file() != file(4)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda b: b"",
    "cut": lambda b: b[:-1],
    "half": lambda b: b[: len(b) // 2],
    "of something else": lambda b: b"rubbish" * 99,
    "zeros": lambda b: bytes(len(b)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_such_file_is_an_error_with_a_remedy(damage: str) -> None:
    with pytest.raises(StoreError, match=r"gates\.parquet: cannot be read .*; run the trial again"):
        gates.from_bytes(DAMAGE[damage](file()))


def test_a_table_of_another_version_is_an_error() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"block": ["SE_2_1"]}).replace_schema_metadata({gates.VERSION_KEY: "99"}), sink)
    with pytest.raises(StoreError, match=r"found version 99, this senet-lab reads 1; use the version that wrote it"):
        gates.from_bytes(bytes(sink.getvalue()))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"block": ["SE_2_1"]}), sink)
    with pytest.raises(StoreError, match="found version None"):
        gates.from_bytes(bytes(sink.getvalue()))


def test_imagenet_stays_under_ten_megabytes() -> None:
    """SE-ResNet-50's 16 blocks and 1000 classes, of numbers that no compression makes smaller."""
    chance = np.random.default_rng(0)
    choice = Choice(tuple(f"n{i:08d}" for i in range(1000)), np.repeat(np.arange(1000), 50))
    blocks = []
    for stage, units, channels in ((2, 3, 256), (3, 4, 512), (4, 6, 1024), (5, 3, 2048)):
        kept, grid = -(-channels // choice.stride(channels)), -(-channels // gates.grid_stride(channels))
        for unit in range(1, units + 1):
            every = Moments(np.array([50_000]), chance.random((1, channels)), chance.random((1, channels)))
            each = Moments(np.full(1000, 50), chance.random((1000, kept)), chance.random((1000, kept)))
            blocks.append(Block(f"SE_{stage}_{unit}", every, each, chance.random((len(choice.probe), grid))))
    payload = gates.to_bytes(blocks, choice)
    assert len(payload) < 10e6
    assert gates.from_bytes(payload).num_rows == 15_104 + 1050 * (3 * 43 + 4 * 47 + 6 * 49 + 3 * 50)
