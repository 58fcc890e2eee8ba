"""Places365-Standard as it is distributed (Zhou et al., 2017), small images or large ones.

    categories_places365.txt          "/a/airfield 0": path of a class, label
    places365_train_standard.txt      "/a/airfield/00000001.jpg 0"; without it, every image of a class's folder
    places365_val.txt                 "Places365_val_00000001.jpg 165"
    data_256/ or data_large/          a/airfield/00000001.jpg ... (also called data_256_standard, data_large_standard)
    val_256/ or val_large/            Places365_val_00000001.jpg ...

The test part is the validation part, the only one with public labels; v4 Table 6 tests on it too.
"""

from collections.abc import Iterator
from pathlib import Path

from senet_lab.data.listing import Listing, images_in, listing
from senet_lab.errors import DataError

CATEGORIES, TRAIN, VALIDATION = "categories_places365.txt", "places365_train_standard.txt", "places365_val.txt"
SIZES = ("256", "large")


def places365(folder: Path) -> tuple[Listing, Listing, tuple[str, ...]]:
    """Training part, validation part, and names of the classes without the letter's folder, by label."""
    numbers = dict(_table(folder, CATEGORIES))
    classes = tuple(name.strip("/").partition("/")[2] for name in sorted(numbers, key=numbers.__getitem__))
    train = _part(folder, [f"data_{size}{kind}" for size in SIZES for kind in ("", "_standard")])
    held = _part(folder, [f"val_{size}" for size in SIZES])
    listed = (folder / TRAIN).is_file()
    pool = _listed(train, _table(folder, TRAIN)) if listed else _walked(train, numbers)
    return listing(folder, pool), listing(folder, _listed(held, _table(folder, VALIDATION))), classes


def _table(folder: Path, name: str) -> Iterator[tuple[str, int]]:
    path = folder / name
    if not path.is_file():
        raise DataError(f"{path} is missing; it is in filelist_places365-standard.tar (places2.csail.mit.edu)")
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            image, _, label = line.strip().rpartition(" ")
            if not image or not label.isdecimal():
                raise DataError(f"{path}:{number}: found {line.strip()!r}, not a path and a label; get the file anew")
            yield image, int(label)


def _part(folder: Path, names: list[str]) -> Path:
    for name in names:
        if (folder / name).is_dir():
            return folder / name
    raise DataError(f"{folder}: a folder {' or '.join(names)} is missing; unpack Places365-Standard's images there")


def _listed(folder: Path, table: Iterator[tuple[str, int]]) -> Iterator[tuple[Path, int]]:
    for image, label in table:
        yield folder / image.lstrip("/"), label


def _walked(folder: Path, numbers: dict[str, int]) -> Iterator[tuple[Path, int]]:
    for name, label in numbers.items():
        for entry in images_in(folder / name.lstrip("/")):
            yield Path(entry.path), label
