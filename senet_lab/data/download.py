"""The official archives, fetched into the data folder."""

import uuid
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from senet_lab.data import cifar, cifar10, cifar100
from senet_lab.data.cifar import md5
from senet_lab.data.notice import Notice
from senet_lab.errors import DataError, UserError

SOURCES = {"cifar10": cifar10.at, "cifar100": cifar100.at}
CHUNK = 1 << 20
PATIENCE_SECONDS = 60


def fetch(source: str, data_dir: Path, address: str = cifar.ADDRESS) -> None:
    """Get the archive of `source` if there is none yet; it is there whole, with the published MD5, or not at all.

    Raises UserError for a source that has no official archive, DataError for what goes wrong on the way.
    """
    if source not in SOURCES:
        kind = source.partition(":")[0]
        raise UserError(
            f"--download: only {' and '.join(SOURCES)} can be fetched; "
            + ("digits need none" if kind == "digits" else f"put the images of {source!r} into their folder yourself")
        )
    found = SOURCES[source](data_dir)
    if any((data_dir / archive.name).is_file() for archive in found.archives):
        return
    archive = found.archives[0]
    aside = data_dir / f".{archive.name}.{uuid.uuid4().hex}"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        _copy(address + archive.name, aside)
        if (got := md5(aside)) != archive.md5:
            raise DataError(
                f"{address}{archive.name}: what came has MD5 {got}, the official file {archive.md5}; try again"
            )
        aside.rename(data_dir / archive.name)
    except (URLError, OSError, HTTPException, ValueError) as error:  # the last two: no proper HTTP answer
        raise DataError(
            f"{address}{archive.name}: {getattr(error, 'reason', error)}; try again later, or get the file "
            f"by other means and put it into {data_dir}"
        ) from None
    finally:
        aside.unlink(missing_ok=True)


def _copy(address: str, path: Path) -> None:
    with urlopen(address, timeout=PATIENCE_SECONDS) as answer, path.open("wb") as file:
        got = Notice(address.rpartition("/")[2], int(answer.headers.get("Content-Length", 0)), is_bytes=True)
        with got:
            while chunk := answer.read(CHUNK):
                got(file.write(chunk))
