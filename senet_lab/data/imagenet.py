"""ImageNet's validation images as they are distributed: one folder, labels in the development kit.

    val/ILSVRC2012_val_00000001.JPEG ...
    [ILSVRC2012_devkit_t12/]data/ILSVRC2012_validation_ground_truth.txt     a line an image: its ILSVRC2012_ID
    [ILSVRC2012_devkit_t12/]data/meta.mat                                   which WNID that is

IDs are not in the order of WNIDs; without the table between them every label would be wrong.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from senet_lab.data.listing import images_in
from senet_lab.errors import DataError

KITS = ("ILSVRC2012_devkit_t12/data", "devkit/data", "data")
TRUTH, TABLE = "ILSVRC2012_validation_ground_truth.txt", "meta.mat"


def validation(folder: Path, numbers: dict[str, int]) -> Iterator[tuple[os.DirEntry[str], int]]:
    """Each image of `folder`/val with its label; `numbers` gives the label of a WNID."""
    kit = next((folder / k for k in KITS if (folder / k / TRUTH).is_file() and (folder / k / TABLE).is_file()), None)
    if kit is None:
        raise DataError(
            f"{folder}: val/ has images and no folder a class, so their labels are needed: {TRUTH} and {TABLE} "
            f"of ILSVRC2012_devkit_t12.tar.gz (image-net.org); unpack it there. Looked in {', '.join(KITS)}"
        )
    try:
        wnids = _wnids(kit / TABLE)
    except Exception as error:
        raise DataError(f"{kit / TABLE}: cannot be read ({error}); unpack the development kit once more") from None
    try:
        truth = [int(line) for line in (kit / TRUTH).read_text(encoding="ascii").split()]
    except ValueError as error:
        raise DataError(f"{kit / TRUTH}: not a number a line ({error}); unpack the development kit once more") from None
    for entry in images_in(folder / "val"):
        number = re.fullmatch(r"ILSVRC2012_val_(\d{8})\.JPEG", entry.name)
        if number is None or not 1 <= int(number[1]) <= len(truth):
            raise DataError(f"{entry.path}: {TRUTH} has no line for it; val/ holds ILSVRC2012_val_*.JPEG and no more")
        wnid = wnids.get(truth[int(number[1]) - 1])
        if wnid is None:
            raise DataError(
                f"{kit / TRUTH}:{int(number[1])}: {kit / TABLE} has no such ILSVRC2012_ID; unpack both anew"
            )
        if wnid not in numbers:
            raise DataError(f"{entry.path} shows {wnid}, and train/{wnid} is missing; unpack it there")
        yield entry, numbers[wnid]


def _wnids(table: Path) -> dict[int, str]:
    """ILSVRC2012_ID -> WNID."""
    from scipy.io import loadmat

    synsets = loadmat(table, squeeze_me=True)["synsets"]
    return {int(i): str(wnid) for i, wnid in zip(synsets["ILSVRC2012_ID"], synsets["WNID"], strict=True)}
