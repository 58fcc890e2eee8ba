"""Folders of images: a folder a class, ImageNet's and Places365's own layouts, in small."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from senet_lab import data
from senet_lab.data import Encoded, Images
from senet_lab.errors import DataError
from senet_lab.spec import Data
from tests.data.pictures import encoded, pixels, put


def asked(folder: Path, **more: object) -> Data:
    return Data.model_validate({"source": f"folder:{folder}", "validation": 1} | more)


def opened(folder: Path) -> Encoded:
    """As it is streamed."""
    for cached in (data._load, data._digest, data._open):
        cached.cache_clear()
    found = data.load(asked(folder, image_size=8), folder.parent)
    assert isinstance(found, Encoded)
    return found


def labels(found: Encoded) -> tuple[list[int], list[int]]:
    return found.pool_labels.tolist(), found.test_labels.tolist()


# --- a folder a class


def make_classes(folder: Path, test: str = "test") -> None:
    put(folder / "train" / "cat" / "b.png", 0)
    put(folder / "train" / "cat" / "a.png", 1)
    put(folder / "train" / "ant" / "x.png", 2)
    put(folder / test / "cat" / "z.png", 3)
    put(folder / test / "ant" / "y.png", 4)
    (folder / "train" / "cat" / "notes.txt").write_text("no image")
    (folder / "train" / ".cache").mkdir()


@pytest.mark.parametrize("test", ["test", "val"])
def test_classes_are_folders_and_numbered_in_the_order_of_their_names(test: str, tmp_path: Path) -> None:
    make_classes(tmp_path / "pets", test)
    found = opened(tmp_path / "pets")
    assert found.classes == ("ant", "cat") and labels(found) == ([0, 1, 1], [0, 1])
    assert [found.pool[i] for i in range(3)] == [encoded(2), encoded(1), encoded(0)]
    assert [found.test[i] for i in range(2)] == [encoded(4), encoded(3)]


def test_images_of_one_size_are_decoded_once(tmp_path: Path) -> None:
    make_classes(tmp_path / "pets")
    images = data.load(asked(tmp_path / "pets"), tmp_path)
    assert isinstance(images, Images)
    assert np.array_equal(images.pool[1].transpose(1, 2, 0), pixels(1)) and images.pool_labels.tolist() == [0, 1, 1]


def test_a_test_part_with_classes_comes_before_a_validation_part(tmp_path: Path) -> None:
    make_classes(tmp_path / "pets")
    put(tmp_path / "pets" / "val" / "cat" / "v.png", 9)
    assert len(opened(tmp_path / "pets").test) == 2


def change_size(folder: Path) -> None:
    put(folder / "test" / "cat" / "z.png", 3, size=(9, 8))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file more": lambda folder: put(folder / "train" / "ant" / "w.png", 7),
    "a file less": lambda folder: (folder / "test" / "ant" / "y.png").unlink(),
    "another size": change_size,
    "another name": lambda folder: (folder / "train" / "ant" / "x.png").rename(folder / "train" / "ant" / "w.png"),
    "another class": lambda folder: (folder / "train" / "cat" / "b.png").rename(folder / "train" / "ant" / "b.png"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_digest_is_of_paths_sizes_and_labels(change: Callable[[Path], object], tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        make_classes(tmp_path / name)
    change(tmp_path / "three")
    one, two, three = (data.digest(asked(tmp_path / name), tmp_path) for name in ("one", "two", "three"))
    assert one == two != three


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    folder.mkdir()
    with pytest.raises(DataError, match=r"train/<class>/\*\.jpg is missing; put a folder of images for each class"):
        opened(folder)
    put(folder / "train" / "cat" / "a.png", 0)
    with pytest.raises(DataError, match=r"test/<class>/\*\.jpg is missing, and val/"):
        opened(folder)
    put(folder / "test" / "dog" / "a.png", 0)
    with pytest.raises(DataError, match=r"test/dog is no class of train/; rename or remove it"):
        opened(folder)


def test_an_image_that_goes_away_is_told(tmp_path: Path) -> None:
    make_classes(tmp_path / "pets")
    found = opened(tmp_path / "pets")
    (tmp_path / "pets" / "train" / "ant" / "x.png").unlink()
    with pytest.raises(DataError, match=r"train/ant/x\.png: No such file"):
        found.pool[0]


# --- ImageNet

WNIDS = {1: "n03000000", 2: "n01000000", 3: "n02000000"}
"""ILSVRC2012_ID -> WNID: not in the same order."""
TRUTH = [2, 3, 1, 3]


def make_imagenet(folder: Path, kit: str) -> None:
    for i, wnid in WNIDS.items():
        put(folder / "train" / wnid / f"{wnid}_1.JPEG", i)
    for number in range(1, 5):
        put(folder / "val" / f"ILSVRC2012_val_{number:08d}.JPEG", 10 + number)
    put(folder / "test" / "ILSVRC2012_test_00000001.JPEG", 20)  # distributed without labels
    (folder / kit).mkdir(parents=True)
    (folder / kit / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{id_}\n" for id_ in TRUTH))
    dtype = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object)]
    rows = [*WNIDS.items(), (4, "n00000001")]  # the kit's table has inner nodes too
    synsets = np.array([(float(i), wnid, "words") for i, wnid in rows], dtype=dtype).reshape(-1, 1)
    savemat(folder / kit / "meta.mat", {"synsets": synsets})


@pytest.mark.parametrize("kit", ["ILSVRC2012_devkit_t12/data", "data", "devkit/data"])
def test_imagenets_validation_labels_are_those_of_the_training_folders(kit: str, tmp_path: Path) -> None:
    make_imagenet(tmp_path / "imagenet", kit)
    found = opened(tmp_path / "imagenet")
    assert found.classes == ("n01000000", "n02000000", "n03000000")
    assert labels(found) == ([0, 1, 2], [0, 1, 2, 1])  # IDs 2, 3, 1, 3 by their WNIDs
    assert found.test[2] == encoded(13, "jpeg")


def test_imagenet_with_a_folder_a_class_needs_no_kit(tmp_path: Path) -> None:
    for i, wnid in WNIDS.items():
        put(tmp_path / "imagenet" / "train" / wnid / "a.JPEG", i)
        put(tmp_path / "imagenet" / "val" / wnid / f"ILSVRC2012_val_{i:08d}.JPEG", 10 + i)
    assert labels(opened(tmp_path / "imagenet")) == ([0, 1, 2], [0, 1, 2])


def test_imagenet_without_its_kit_is_told_where_to_get_it(tmp_path: Path) -> None:
    make_imagenet(tmp_path / "imagenet", "data")
    (tmp_path / "imagenet" / "data" / "meta.mat").unlink()
    with pytest.raises(DataError, match=r"ground_truth\.txt and meta\.mat of ILSVRC2012_devkit_t12"):
        opened(tmp_path / "imagenet")


def test_imagenet_images_beyond_the_truth_and_classes_without_images_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "imagenet"
    make_imagenet(folder, "data")
    put(folder / "val" / "ILSVRC2012_val_00000005.JPEG", 0)
    with pytest.raises(DataError, match="has no line for it"):
        opened(folder)
    (folder / "val" / "ILSVRC2012_val_00000005.JPEG").unlink()
    (folder / "train" / "n02000000").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="shows n02000000, and train/n02000000 is missing"):
        opened(folder)


# --- Places365


def make_places(folder: Path, size: str = "256", kind: str = "") -> None:
    put(folder / f"data_{size}{kind}" / "a" / "airfield" / "00000001.jpg", 0)
    put(folder / f"data_{size}{kind}" / "a" / "airfield" / "00000002.jpg", 1)
    put(folder / f"data_{size}{kind}" / "b" / "bar" / "outdoor" / "00000001.jpg", 2)
    for number in (1, 2):
        put(folder / f"val_{size}" / f"Places365_val_{number:08d}.jpg", 10 + number)
    (folder / "categories_places365.txt").write_text("/a/airfield 0\n/b/bar/outdoor 1\n")
    (folder / "places365_val.txt").write_text("Places365_val_00000001.jpg 1\nPlaces365_val_00000002.jpg 0\n")


LISTED = "/a/airfield/00000001.jpg 0\n/b/bar/outdoor/00000001.jpg 1\n"


@pytest.mark.parametrize("kind", ["", "_standard"])
@pytest.mark.parametrize("size", ["256", "large"])
def test_places_is_read_from_its_tree(size: str, kind: str, tmp_path: Path) -> None:
    make_places(tmp_path / "places", size, kind)
    found = opened(tmp_path / "places")
    assert found.classes == ("airfield", "bar/outdoor") and labels(found) == ([0, 0, 1], [1, 0])
    assert found.pool[2] == encoded(2, "jpeg") and found.test[0] == encoded(11, "jpeg")


def test_places_is_read_from_its_list_where_there_is_one(tmp_path: Path) -> None:
    make_places(tmp_path / "places")
    (tmp_path / "places" / "places365_train_standard.txt").write_text(LISTED)
    assert labels(opened(tmp_path / "places")) == ([0, 1], [1, 0])


def test_what_is_missing_of_places_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "places"
    make_places(folder)
    (folder / "places365_train_standard.txt").write_text(LISTED + "/a/airfield/00000009.jpg 0\n")
    with pytest.raises(DataError, match=r"data_256/a/airfield/00000009\.jpg is missing; unpack"):
        opened(folder)
    (folder / "places365_train_standard.txt").write_text("/a/airfield/00000009.jpg\n")
    with pytest.raises(DataError, match=r"standard\.txt:1: found '/a/airfield/00000009\.jpg', not a path and a label"):
        opened(folder)
    (folder / "places365_train_standard.txt").unlink()
    (folder / "places365_val.txt").unlink()
    with pytest.raises(DataError, match=r"places365_val\.txt is missing; it is in filelist_places365-standard\.tar"):
        opened(folder)
    (folder / "val_256").rename(folder / "elsewhere")
    with pytest.raises(DataError, match="a folder val_256 or val_large is missing"):
        opened(folder)
