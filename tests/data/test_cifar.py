"""CIFAR-10 and CIFAR-100, from small archives of the official form."""

import hashlib
import io
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from senet_lab import data
from senet_lab.data import Images, cifar10, cifar100
from senet_lab.data.cifar import Archive
from senet_lab.data.unpickle import plain
from senet_lab.errors import DataError
from senet_lab.spec import Data

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
LABELS = np.array([3, 1, 0, 2, 1, 3, 0, 0, 1, 2, 3, 1])
COARSE = 1 - LABELS % 2
NAMES = ("apple", "bear", "cloud", "dolphin")
OFFICIAL = {"cifar10": cifar10, "cifar100": cifar100}


def members(archive: Archive) -> dict[str, bytes]:
    """The last two images for testing, the others spread over the training members."""
    rows = [*np.array_split(np.arange(10), len(archive.train)), np.array([10, 11])]
    files = dict(zip((*archive.train, archive.test), rows, strict=True))
    if not archive.pickled:
        found = {name: b"".join(_record(archive, i) for i in rows) for name, rows in files.items()}
        return found | {archive.names: "\n".join(NAMES).encode() + b"\n\n"}
    key = archive.key.encode()
    # Protocol 3 is the oldest in which Python 3 writes bytes as such; the official files are of Python 2.
    tables: dict[str, Any] = {
        name: {b"data": PIXELS[rows].reshape(len(rows), -1), key: LABELS[rows].tolist()} for name, rows in files.items()
    }
    tables[archive.names] = {archive.names_key.encode(): [name.encode() for name in NAMES]}
    return {name: pickle.dumps(table, protocol=3) for name, table in tables.items()}


def _record(archive: Archive, i: int) -> bytes:
    """As the official pages have it: 1 label and 3,072 pixels in CIFAR-10, a coarse and a fine label in CIFAR-100."""
    labels = [COARSE[i], LABELS[i]] if "100" in archive.name else [LABELS[i]]
    record = bytes(map(int, labels)) + PIXELS[i].tobytes()
    assert len(record) == (3074 if "100" in archive.name else 3073)
    return record


@pytest.fixture(params=[(s, form) for s in OFFICIAL for form in ("BINARY", "PYTHON")], ids="-".join)
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a source whose archive, of one form, is in the data folder, its MD5 taken for the official one."""
    name, form = request.param
    archive = getattr(OFFICIAL[name], form)
    with tarfile.open(tmp_path / archive.name, "w:gz") as tar:
        for member, content in members(archive).items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    md5 = hashlib.md5((tmp_path / archive.name).read_bytes()).hexdigest()
    monkeypatch.setattr(OFFICIAL[name], form, replace(archive, md5=md5))
    return str(name)


def asked(source: str) -> Data:
    return Data(source=source, validation=3)


def test_images_labels_and_names_are_those_of_the_archive(source: str, tmp_path: Path) -> None:
    images = data.load(asked(source), tmp_path)
    assert isinstance(images, Images)
    assert np.array_equal(np.concatenate([images.pool, images.test]), PIXELS)
    assert np.array_equal(np.concatenate([images.pool_labels, images.test_labels]), LABELS)
    assert (len(images.pool), len(images.test), images.classes) == (10, 2, NAMES)
    assert data.facts(asked(source), tmp_path) == data.Facts(10, 2, 3, 32, 4)


def test_the_digest_is_that_of_the_file(source: str, tmp_path: Path) -> None:
    (archive,) = tmp_path.glob("*.tar.gz")
    assert data.digest(asked(source), tmp_path) == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert not list(tmp_path.glob(".decoded/*/manifest.json")), "nothing is decoded for it"


def test_an_archive_that_is_not_the_official_one_is_refused_before_it_is_read(source: str, tmp_path: Path) -> None:
    (archive,) = tmp_path.glob("*.tar.gz")
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"its MD5 is .* delete it, then add --download"):
        data.load(asked(source), tmp_path)


@pytest.mark.parametrize("source_name", OFFICIAL)
def test_a_missing_archive_is_told_with_both_names_and_two_remedies(source_name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as told:
        data.facts(asked(source_name), tmp_path)
    for part in ("binary.tar.gz", "python.tar.gz", str(tmp_path), "--download", "--data-dir", "cs.toronto.edu"):
        assert part in str(told.value)


def test_the_published_md5s() -> None:
    assert cifar10.BINARY.md5 == "c32a1d4ab5d03f1284b67883e8d87530"
    assert cifar10.PYTHON.md5 == "c58f30108f718f92721af3b95e74349a"
    assert cifar100.BINARY.md5 == "03b5dce01913d631647c71ecec9e9cb8"
    assert cifar100.PYTHON.md5 == "eb9058c3a382ffc7106e4002c42a8d85"


# --- pickles


class Evil:
    def __init__(self, act: Callable[..., Any], *arguments: Any) -> None:
        self.call = act, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


EVIL = {
    "breakpoint": Evil(breakpoint),
    "eval": Evil(eval, "1"),
    "getattr": Evil(getattr, 1, "real"),
    "Path": Path,
    "load": np.load,
}


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)
def test_pickles_that_ask_for_anything_else_are_refused(
    evil: Any, protocol: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match="a pickle asks for"):
        plain(pickle.dumps({"data": evil}, protocol=protocol))
    assert capsys.readouterr().out == ""


def test_pickles_of_python_2_with_arrays_of_the_older_numpy_are_read() -> None:
    """What Python 2 wrote for {'a': array([1, 2], uint8)}, opcode by opcode."""
    content = (
        b"\x80\x02}q\x00U\x01aq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04"
        b"U\x01bq\x05\x87q\x06Rq\x07(K\x01K\x02\x85q\x08cnumpy\ndtype\nq\tU\x02u1q\nK\x00K\x01\x87q\x0bRq\x0c"
        b"(K\x03U\x01|q\rNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0eb\x89U\x02\x01\x02q\x0ftq\x10bs."
    )
    found = plain(content)
    assert list(found) == [b"a"] and found[b"a"].tolist() == [1, 2] and found[b"a"].dtype == np.uint8
