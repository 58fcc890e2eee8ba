"""Image Parquet as Hugging Face writes it, from small files of the test's own."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from senet_lab import data
from senet_lab.data import Encoded, Images
from senet_lab.errors import DataError
from senet_lab.spec import Data
from tests.data.pictures import encoded, pixels, write_parquet


def asked(folder: Path | str, **more: object) -> Data:
    return Data.model_validate({"source": f"parquet:{folder}", "validation": 2} | more)


def loaded(folder: Path, tmp_path: Path) -> Images:
    images = data.load(asked(folder), tmp_path)
    assert isinstance(images, Images)
    return images


def write(folder: Path, **more: object) -> None:
    write_parquet(folder / "train.parquet", [0, 1, 2, 3, 4], [0, 1, 2, 1, 0], **more)  # type: ignore[arg-type]
    write_parquet(folder / "test.parquet", [5, 6, 7], [2, 0, 1], **more)  # type: ignore[arg-type]


def assert_written(images: Images) -> None:
    found = np.concatenate([images.pool, images.test]).transpose(0, 2, 3, 1)
    assert all(np.array_equal(image, pixels(seed)) for seed, image in enumerate(found))
    assert (images.pool_labels.tolist(), images.test_labels.tolist()) == ([0, 1, 2, 1, 0], [2, 0, 1])


@pytest.mark.parametrize("columns", [("image", "label"), ("img", "fine_label"), ("image", "labels")])
@pytest.mark.parametrize("place", [".", "data"])
def test_images_and_labels_are_those_of_the_rows(columns: tuple[str, str], place: str, tmp_path: Path) -> None:
    write(tmp_path / place, columns=columns, names=["ant", "bee", "cow"])
    images = loaded(tmp_path, tmp_path)
    assert_written(images)
    assert images.classes == ("ant", "bee", "cow")
    assert data.facts(asked(tmp_path), tmp_path) == data.Facts(5, 3, 3, 8, 3)


def test_without_names_the_classes_are_their_numbers(tmp_path: Path) -> None:
    write(tmp_path)
    assert loaded(tmp_path, tmp_path).classes == ("0", "1", "2")


def test_shards_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data" / "train-00001-of-00002.parquet", [3, 4], [1, 0])
    write_parquet(tmp_path / "data" / "train-00000-of-00002.parquet", [0, 1, 2], [0, 1, 2])
    write_parquet(tmp_path / "data" / "test-00000-of-00001.parquet", [5, 6, 7], [2, 0, 1])
    assert_written(loaded(tmp_path, tmp_path))


def test_a_test_part_without_labels_gives_way_to_the_validation_part(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "test.parquet").rename(tmp_path / "validation.parquet")
    write_parquet(tmp_path / "test.parquet", [8, 9], [-1, -1])
    assert_written(loaded(tmp_path, tmp_path))


def test_the_digest_is_of_the_files_and_their_parts_wherever_they_lie(tmp_path: Path) -> None:
    write(tmp_path / "a")
    write(tmp_path / "b" / "data")
    first = data.digest(asked(tmp_path / "a"), tmp_path)
    assert data.digest(asked(tmp_path / "b"), tmp_path / "other") == first
    write_parquet(tmp_path / "c" / "train.parquet", [5, 6, 7], [2, 0, 1])
    write_parquet(tmp_path / "c" / "test.parquet", [0, 1, 2, 3, 4], [0, 1, 2, 1, 0])
    assert data.digest(asked(tmp_path / "c"), tmp_path) != first


def test_a_relative_folder_is_looked_for_here_and_then_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "store" / "mine")
    assert data.facts(asked("mine"), Path("store")).pool == 5
    write_parquet(tmp_path / "here" / "train.parquet", [0, 1, 2], [0, 1, 0])
    write_parquet(tmp_path / "here" / "test.parquet", [0, 1], [0, 1])
    write(tmp_path / "store" / "here")
    assert data.facts(asked("here"), Path("store")).pool == 3
    with pytest.raises(DataError, match=r"no folder .*/nowhere and none .*/store/nowhere; put .* --data-dir"):
        data.facts(asked("nowhere"), Path("store"))


def test_grey_images_have_one_channel_unless_one_is_not(tmp_path: Path) -> None:
    write(tmp_path / "grey", channels=1)
    images = loaded(tmp_path / "grey", tmp_path)
    assert images.pool.shape == (5, 1, 8, 8) and np.array_equal(images.pool[3, 0], pixels(3, channels=1))
    write(tmp_path / "mixed", channels=1)
    write_parquet(tmp_path / "mixed" / "test.parquet", [5, 6, 7], [2, 0, 1])
    mixed = loaded(tmp_path / "mixed", tmp_path)
    assert (mixed.pool.shape[1], mixed.test.shape[1]) == (3, 3)
    assert all(np.array_equal(mixed.pool[3, c], pixels(3, channels=1)) for c in range(3))
    assert np.array_equal(mixed.test[0].transpose(1, 2, 0), pixels(5))


@pytest.mark.parametrize("size", [(9, 9), (8, 6)])
def test_other_sizes_are_refused_with_the_setting_that_makes_crops(size: tuple[int, int], tmp_path: Path) -> None:
    write(tmp_path)
    write_parquet(tmp_path / "test.parquet", [5], [0], size=size)
    with pytest.raises(
        DataError, match=rf"row 0 of test\*\.parquet has {size[0]} x {size[1]} pixels.*set data\.image_size"
    ):
        loaded(tmp_path, tmp_path)


def test_images_of_any_size_are_streamed_where_crops_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path, size=(9, 7))
    for _ in range(2):
        found = data.load(asked(tmp_path, image_size=8), tmp_path)
        assert isinstance(found, Encoded)
        assert [found.pool[i] for i in (3, 0, 4)] == [encoded(i, size=(9, 7)) for i in (3, 0, 4)]
        assert found.test[2] == encoded(7, size=(9, 7)) and len(found.test) == 3
        data._load.cache_clear()
    assert data.facts(asked(tmp_path, image_size=8), tmp_path) == data.Facts(5, 3, 3, 8, 3)


# --- what is wrong with files


def test_missing_parts_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\*\.parquet is missing there and in data/; put the Parquet files"):
        loaded(tmp_path, tmp_path)
    write_parquet(tmp_path / "train.parquet", [0, 1], [0, 1])
    with pytest.raises(DataError, match=r"a test part with labels is missing; looked for test\*\.parquet"):
        data.digest(asked(tmp_path), tmp_path / "again")


def test_a_file_that_is_no_parquet_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"train\*\.parquet cannot be read: .*get them anew"):
        loaded(tmp_path, tmp_path)


def test_missing_columns_are_told_with_those_there_are(tmp_path: Path) -> None:
    write(tmp_path)
    pq.write_table(pa.table({"picture": [b"x"], "label": [0]}), tmp_path / "train.parquet")
    with pytest.raises(DataError, match="a column image or img is missing; found picture, label"):
        loaded(tmp_path, tmp_path)


@pytest.mark.parametrize("content", [b"", b"no image", encoded(3)[:50], None])
def test_a_broken_image_is_told_with_its_place(content: bytes | None, tmp_path: Path) -> None:
    write(tmp_path)
    rows = [{"bytes": encoded(0), "path": "a"}, {"bytes": content, "path": "b"}]
    pq.write_table(pa.table({"image": rows, "label": [0, 1]}), tmp_path / "train.parquet")
    with pytest.raises(DataError, match=r"row 1 of train\*\.parquet cannot be read: .*; get it anew"):
        loaded(tmp_path, tmp_path)
    assert not (tmp_path / ".decoded").exists()


def test_a_changed_file_is_decoded_anew(tmp_path: Path) -> None:
    write(tmp_path)
    loaded(tmp_path, tmp_path)
    write_parquet(tmp_path / "test.parquet", [9, 6, 7], [2, 0, 1])
    os.utime(tmp_path / "test.parquet", ns=(1, 1))
    for cached in (data._load, data._digest, data._open):
        cached.cache_clear()
    assert np.array_equal(loaded(tmp_path, tmp_path).test[0].transpose(1, 2, 0), pixels(9))


def test_other_layouts_are_the_files_fault_and_told(tmp_path: Path) -> None:
    for part in ("train", "test"):
        cells = {"image": [{"bytes": 5, "path": ""}] * 3, "label": [0, 1, 2]}
        pq.write_table(pa.table(cells), tmp_path / f"{part}.parquet")
    with pytest.raises(DataError, match=r"parquet:.*: the files are not laid out as they should be \(TypeError: "):
        data.facts(asked(tmp_path), tmp_path)


def test_labels_that_number_no_classes_are_told(tmp_path: Path) -> None:
    for part in ("train", "test"):
        cells = {"image": [{"bytes": b"", "path": ""}] * 3, "label": [0, 1, 10**12]}
        pq.write_table(pa.table(cells), tmp_path / f"{part}.parquet")
    with pytest.raises(DataError, match=r"goes up to 1000000000000; labels have to number classes"):
        data.facts(asked(tmp_path), tmp_path)
