"""Fetching archives, from a server of the test's own."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from senet_lab.data import cifar10
from senet_lab.data.download import fetch
from senet_lab.errors import DataError, UserError

CONTENT = b"not really an archive" * 100_000


class Handler(BaseHTTPRequestHandler):
    cut = False

    def do_GET(self) -> None:
        known = self.path == "/cifar-10-binary.tar.gz"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(CONTENT) if known else 0))
        self.end_headers()
        if known:
            self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.cut else CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Handler, "cut", False)
    monkeypatch.setattr(cifar10, "BINARY", replace(cifar10.BINARY, md5=hashlib.md5(CONTENT).hexdigest()))
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_archive_arrives_whole_and_alone(address: str, tmp_path: Path) -> None:
    fetch("cifar10", tmp_path / "new", address)
    assert {p.name: p.read_bytes() for p in (tmp_path / "new").iterdir()} == {"cifar-10-binary.tar.gz": CONTENT}


@pytest.mark.parametrize("name", ["cifar-10-binary.tar.gz", "cifar-10-python.tar.gz"])
def test_what_is_there_is_not_fetched_again(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"mine")
    fetch("cifar10", tmp_path, "http://127.0.0.1:9/")
    assert (tmp_path / name).read_bytes() == b"mine"


def test_half_an_archive_is_none(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "cut", True)
    with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz: what came has MD5 .*try again"):
        fetch("cifar10", tmp_path, address)
    assert list(tmp_path.iterdir()) == []


def test_another_content_is_refused(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "BINARY", replace(cifar10.BINARY, md5="0" * 32))
    with pytest.raises(DataError, match="the official file 0000"):
        fetch("cifar10", tmp_path, address)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["cifar10", "cifar100"])
def test_no_connection_and_no_such_file_are_told_with_a_remedy(source: str, address: str, tmp_path: Path) -> None:
    where = address if source == "cifar100" else "http://127.0.0.1:9/"
    with pytest.raises(DataError, match="put it into"):
        fetch(source, tmp_path, where)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["digits", "parquet:x", "folder:imagenet"])
def test_only_cifar_can_be_fetched(source: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--download: only cifar10 and cifar100 can be fetched"):
        fetch(source, tmp_path)
