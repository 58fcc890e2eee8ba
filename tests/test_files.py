"""Bytes in files, here and behind addresses: whole or an error that says where and what to do."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from senet_lab import files
from senet_lab.errors import StoreError
from senet_lab.files import Place

SECRET = "canary"


@pytest.fixture(params=["disk", "address"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A folder that is not there yet."""
    if request.param == "disk":
        yield files.place(tmp_path / "runs")
        return
    place = files.place(f"memory://{uuid.uuid4().hex}/runs")
    yield place
    if place.exists():
        place.fs.rm(place.path, recursive=True)  # type: ignore[union-attr]


class Failing(MemoryFileSystem):  # type: ignore[misc]
    """Raises whatever `error` is, at everything."""

    protocol = ("failing",)
    error: Exception = OSError("unset")

    def _fail(self, *_: Any, **__: Any) -> Any:
        raise type(self).error

    pipe_file = cat_file = ls = find = info = isdir = rm_file = _rm = makedirs = mkdir = _fail

    def cat(self, path: list[str], *_: Any, **__: Any) -> dict[str, Exception]:
        return dict.fromkeys(path, type(self).error)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], Place]:
    fsspec.register_implementation("failing", Failing, clobber=True)

    def where(error: Exception) -> Place:
        monkeypatch.setattr(Failing, "error", error)
        path = UPath("memory://there/runs")
        monkeypatch.setattr(type(path), "fs", Failing())
        return path

    return where


REFUSED = {
    "nope://bucket/runs": "Unsupported filesystem: 'nope'; give a folder, or an address such as s3://bucket/runs",
    "://runs": "names no kind of address",
    "s3://": "names no folder; write e.g. s3://bucket/runs",
    "s3:///runs": "names no folder",
    "memory:///": "names no folder",
    "file:///": "names no folder",
    "file://here/runs": "write file:///folder, or the folder alone",
    "simplecache::s3://bucket/runs": "give the last one alone",
    "memory://a/b[1]": "name no folder; give one without them",
    "memory://a/*": "name no folder; give one without them",
    "memory://a\n/b": "name no folder; give one without them",
    "s3://[bad/runs": "Invalid IPv6 URL; give a folder",
    f"s3://user:{SECRET}@bucket/runs": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    f"s3://{SECRET}@bucket/runs": "does not belong into an address",
    f"s3://user:half/{SECRET}@bucket/runs": "does not belong into an address",
    f"http://host/runs?token={SECRET}": "name no folder; give one without them",
}


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_cannot_be_a_store_is_refused_without_its_secrets(address: str) -> None:
    with pytest.raises(StoreError) as refused:
        files.place(address)
    assert REFUSED[address] in str(refused.value) and str(refused.value).startswith("--store ")
    assert SECRET not in str(refused.value) and refused.value.__cause__ is None


def test_a_package_that_is_missing_is_named() -> None:
    missing = "Install no_such_package to access such://"
    fsspec.register_implementation("such", "no_such_package.FS", clobber=True, errtxt=missing)
    with pytest.raises(StoreError, match=r"such://x/runs: Install no_such_package .*; it is a package for pip"):
        files.place("such://x/runs")


def test_folders_and_addresses_of_this_machine_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert files.place("runs") == files.place(Path("runs")) == tmp_path / "runs"
    assert files.place(f"file://{tmp_path}/runs") == files.place(f"local://{tmp_path}/runs") == tmp_path / "runs"
    there = files.place("memory://a/me@b")
    assert isinstance(there, UPath) and str(there) == "memory://a/me@b" and files.place(there) is there
    assert not (tmp_path / "runs").exists() and not there.exists(), "nothing is made by looking"


@pytest.mark.parametrize("name", ["file", "file/below/it", "file://"])
def test_a_file_in_the_way_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    asked = f"file://{tmp_path}/file/x" if name == "file://" else tmp_path / name
    with pytest.raises(StoreError, match="is a file; name a folder, it is made where there is none"):
        files.place(asked)


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_written_is_read_and_replaced_whole(root: Place, durable: bool) -> None:
    path = root / "a" / "b.bin"
    for payload in (b"", b"\0\1" * 5000, b"shorter"):
        files.write(path, payload, durable)
        assert files.read(path) == payload
    assert [p.name for p in (root / "a").iterdir()] == ["b.bin"], "nothing is left beside it"


def test_durable_waits_for_the_disk_and_the_rest_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    files.write(tmp_path / "state", b"x", durable=False)
    assert synced == []
    files.write(tmp_path / "record", b"x")
    assert len(synced) == 1


def test_what_is_not_there_is_none_or_nothing(root: Place) -> None:
    assert files.read(root / "a" / "b") is None
    assert files.folders(root) == [] and files.matching(root, "*") == [] and not files.is_folder(root)
    assert files.read_all([root / "a" / "b"]) == {} and files.read_all([]) == {}
    files.remove(root / "a" / "b")
    files.write(root / "a", b"a file")
    assert files.read(root / "a" / "below it") is None
    assert files.folders(root) == []


def test_many_are_read_together_and_those_missing_are_left_out(root: Place) -> None:
    paths = [root / f"t{n}" / "record.json" for n in range(5)]
    for n, path in enumerate(paths[:3]):
        files.write(path, str(n).encode())
    assert files.read_all(iter(paths)) == {path: str(n).encode() for n, path in enumerate(paths[:3])}
    assert files.read_all(paths[4:]) == {}


def test_folders_are_in_order_and_found_by_their_names(root: Place) -> None:
    for name in ("b_1", "a_2", "c_2"):
        files.write(root / name / "x", b"")
    files.write(root / "file", b"")
    assert [f.name for f in files.folders(root)] == ["a_2", "b_1", "c_2"]
    assert sorted(f.name for f in files.matching(root, "*_2")) == ["a_2", "c_2"]
    assert files.matching(root, "*_3") == []
    assert sorted(files.matching(root, "?_2/x")) == [root / "a_2" / "x", root / "c_2" / "x"]
    assert files.matching(root, "*/*/x") == files.matching(root, "*/y") == []
    assert files.folders(root)[0] == root / "a_2" and files.is_folder(root / "a_2")


def test_a_file_that_was_tidied_away_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move, moved = Path.replace, list[Path]()

    def tidied(self: Path, target: Path) -> Path:
        moved.append(self)
        if len(moved) == 1:
            [aside] = files.matching(tmp_path, files.ASIDE)
            files.remove(aside)
        return move(self, target)

    monkeypatch.setattr(Path, "replace", tidied)
    files.write(tmp_path / "x", b"whole")
    assert files.read(tmp_path / "x") == b"whole" and len(moved) == 2


def test_removing_takes_the_file_alone(root: Place) -> None:
    files.write(root / "a", b"x")
    files.write(root / "b", b"x")
    files.remove(root / "a")
    assert files.read(root / "a") is None and files.read(root / "b") == b"x"


def test_a_new_file_is_written_once() -> None:
    path = UPath(f"memory://{uuid.uuid4().hex}/lock")
    assert files.write_new(path, b"first") and not files.write_new(path, b"second")
    assert files.read(path) == b"first"


def test_a_service_that_cannot_tell_new_from_old_just_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    path = UPath(f"memory://{uuid.uuid4().hex}/lock")

    def put(self: MemoryFileSystem, name: str, value: bytes, **asked: str) -> None:
        if asked:
            raise NotImplementedError("A header you provided implies functionality that is not implemented")
        self.open(name, "wb", data=value)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", put)
    assert files.write_new(path, b"first")
    assert files.read(path) == b"first"


WRITES: dict[str, Callable[[Place], object]] = {
    "write": lambda path: files.write(path / "x", b""),
    "write_new": lambda path: files.write_new(path / "x", b""),  # type: ignore[arg-type]
}
READS: dict[str, Callable[[Place], object]] = {
    "read": lambda path: files.read(path / "x"),
    "read_all": lambda path: files.read_all([path / "a" / "x"]),
    "folders": files.folders,
    "matching": lambda path: files.matching(path, "*"),
    "matching files": lambda path: files.matching(path, "*/x"),
    "is_folder": files.is_folder,
}
ERRORS = [
    PermissionError(13, "Access Denied"),
    ConnectionError(f"no answer from https://user:{SECRET}@host/x?token={SECRET}\nand more"),
    RuntimeError("Loop is not running"),
    NotImplementedError(),
    ValueError("\n"),
    TimeoutError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("name", WRITES | READS)
def test_whatever_a_library_raises_is_told_with_path_and_remedy(
    name: str, error: Exception, failing: Callable[[Exception], Place]
) -> None:
    path = failing(error)
    with pytest.raises(StoreError) as told:
        (WRITES | READS)[name](path)
    said = str(told.value)
    assert said.startswith("memory://there/runs") and said.endswith("or choose another with --store")
    assert ("cannot be written" if name in WRITES else "cannot be read") in said
    assert "()" not in said and "\n" not in said and SECRET not in said


def test_removing_what_cannot_be_removed_is_no_error(failing: Callable[[Exception], Place]) -> None:
    files.remove(failing(PermissionError(13, "Access Denied")) / "x")


def test_a_mistake_in_our_own_code_is_not_blamed_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Path) -> bytes:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Path, "read_bytes", wrong)
    with pytest.raises(RuntimeError, match="a bug"):
        files.read(tmp_path / "x")


def test_a_file_where_a_folder_has_to_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match=r"file/x: cannot be written \(.+\); make room or rights there, or choose"):
        files.write(tmp_path / "file" / "x", b"")
    assert (tmp_path / "file").read_text() == "mine"
