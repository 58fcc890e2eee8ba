"""Bytes in files: on a disk, or behind any address that fsspec knows (s3://, gs://, sftp://, ...).

On a disk a file is written aside and moved into place, so a reader finds the old one or the new one.
Object stores put a file whole or not at all. What any other file system may leave half written, readers
find out by its digest (see `store`).
"""

import contextlib
import logging
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from senet_lab.credentials import without_credentials
from senet_lab.errors import StoreError

if TYPE_CHECKING:
    from upath import UPath

LOCAL = {"file", "local"}
OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oci", "oss", "r2"}
"""They have no folders; to make one there would make a bucket."""

Place: TypeAlias = "Path | UPath"
"""A file or folder, here or elsewhere."""
ASIDE = ".*.????????"
"""Names of files that are being written; one that stays was a dead process's."""


def place(text: "str | Place") -> Place:
    """The folder that `--store` names. Raises StoreError for files, and addresses that nothing here can open."""
    if not isinstance(text, str | Path):
        return text
    if isinstance(text, Path) or "://" not in text:
        return _folder(Path(text))
    shown = f"--store {without_credentials(text)}"
    if wrong := _unfit(text):
        raise StoreError(f"{shown}: {wrong}")
    from upath import UPath

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # prints of connections that broke what is told anyway
    try:
        fresh: dict[str, Any] = {"use_listings_cache": False} if text.partition("://")[0] in OBJECT_STORES else {}
        folder = UPath(text, **fresh)
        _ = folder.fs  # finds out whether the package for this kind of address is installed
    except ImportError as error:
        raise StoreError(f"{shown}: {_why(error)}; it is a package for pip, on every machine of the sweep") from None
    except Exception as error:
        raise StoreError(f"{shown}: {_why(error)}; give a folder, or an address such as s3://bucket/runs") from None
    return _folder(Path(folder.path)) if folder.protocol in LOCAL else folder


def _unfit(text: str) -> str | None:
    """Why no runs can be kept at an address, and what to write in its place."""
    protocol, _, rest = text.partition("://")
    host, _, path = rest.partition("/")
    if "@" in host or re.search(":.*@", rest):
        return (
            "a user or password does not belong into an address, where others would read it; "
            "give it the way its service expects, e.g. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for s3://"
        )
    if not protocol:
        return "names no kind of address; write e.g. s3://bucket/runs"
    if "::" in protocol:
        return "one address in another may show old files; give the last one alone"
    if not text.isprintable() or "?" in rest or set("*[]") & set(path):
        return "* ? [ ] and control characters name no folder; give one without them"
    if protocol in LOCAL and host:
        return f"an address of this machine has three slashes; write {protocol}:///folder, or the folder alone"
    if not host and (protocol in OBJECT_STORES or not path.strip("/")):
        return "names no folder; write e.g. s3://bucket/runs"
    return None


def _folder(path: Path) -> Path:
    """`path`, in full. Raises StoreError if a file is where a folder has to be."""
    here = path.absolute()
    with _told(here, unreadable):
        there = next(part for part in (here, *here.parents) if part.exists())
        if not there.is_dir():
            which = "this" if there == here else str(there)
            raise StoreError(f"--store {path}: {which} is a file; name a folder, it is made where there is none")
    return here


def write(path: Place, payload: bytes, durable: bool = True) -> None:
    """Put `payload` into `path`, whole. `durable` also outlives a power cut. Raises StoreError."""
    with _told(path, unwritable):
        if not isinstance(path, Path):
            _make_parent(path)
            path.fs.pipe_file(path.path, payload)
            return
        try:
            _put(path, payload, durable)
        except FileNotFoundError:  # a command that tidies up took the file for a dead process's
            _put(path, payload, durable)


def _put(path: Path, payload: bytes, durable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with aside.open("wb") as file:
            file.write(payload)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise


def write_new(path: "UPath", payload: bytes) -> bool:
    """`write`, unless there is a file already: where the service can, without a moment between looking and writing."""
    with _told(path, unwritable):
        _make_parent(path)
        try:
            path.fs.pipe_file(path.path, payload, mode="create")
        except FileExistsError:
            return False
        except Exception:  # a service that cannot
            path.fs.pipe_file(path.path, payload)
        return True


def _make_parent(path: "UPath") -> None:
    if path.protocol not in OBJECT_STORES:
        path.parent.mkdir(parents=True, exist_ok=True)


def read(path: Place) -> bytes | None:
    """What is in `path`, None where there is no such file. Raises StoreError for what may not be read."""
    with _told(path, unreadable):
        try:
            content: bytes = path.read_bytes() if isinstance(path, Path) else path.fs.cat_file(path.path)
            return content
        except (FileNotFoundError, NotADirectoryError):
            return None


def read_all(paths: Iterable[Place]) -> dict[Place, bytes]:
    """What is in those of `paths` that are there; what lies elsewhere comes all at once."""
    paths = list(paths)
    if not paths or isinstance(paths[0], Path):
        return {path: content for path in paths if (content := read(path)) is not None}
    by_name = {path.path: path for path in paths if not isinstance(path, Path)}
    with _told(paths[0].parent.parent, unreadable):
        found: dict[str, Any] = paths[0].fs.cat(list(by_name), on_error="return")
    for name, content in found.items():
        if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
            raise unreadable(by_name[name], content) from content
    return {by_name[name]: content for name, content in found.items() if isinstance(content, bytes)}


def is_folder(path: Place) -> bool:
    """Whether there is a folder. Raises StoreError where that cannot be told."""
    with _told(path, unreadable):
        return path.is_dir()


def folders(path: Place) -> list[Place]:
    """The folders in `path` by name; none where there is no such folder. Raises StoreError, also for no bucket."""
    with _told(path, unreadable):
        try:
            if isinstance(path, Path):
                return sorted(p for p in path.iterdir() if p.is_dir())
            inside = path.fs.ls(path.path, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            if not isinstance(path, Path):
                _refuse_without_bucket(path)
            return []
        names = [found["name"].rstrip("/").rpartition("/")[2] for found in inside if found["type"] == "directory"]
        return [path / name for name in sorted(names)]


def _refuse_without_bucket(path: "UPath") -> None:
    """Raises StoreError if the bucket is not there: nobody makes one in passing, so it is no empty store."""
    if path.protocol not in OBJECT_STORES:
        return
    try:
        path.fs.info(path.drive)
    except FileNotFoundError:
        raise StoreError(f"{path}: there is no bucket {path.drive}; make it, or choose another with --store") from None
    except Exception:  # it may be a secret whether it is there
        return


def matching(folder: Place, pattern: str) -> list[Place]:
    """What below `folder` has a name of this pattern; behind an address folders in it, or files further down."""
    if isinstance(folder, Path):
        with _told(folder, unreadable):
            return list(folder.glob(pattern))
    if "/" not in pattern:
        return [found for found in folders(folder) if fnmatchcase(found.name, pattern)]
    with _told(folder, unreadable):
        found = folder.fs.find(folder.path)  # all at once; to look into each folder would take a request for each
    names = [name.strip("/").removeprefix(folder.path.strip("/")).strip("/") for name in found]
    wanted = pattern.split("/")
    fits = [n for n in names if n.count("/") == len(wanted) - 1 and all(map(fnmatchcase, n.split("/"), wanted))]
    return [folder / name for name in fits]


def remove(path: Place) -> None:
    """Take a file away, if that is possible and it is there."""
    with contextlib.suppress(Exception):
        path.unlink() if isinstance(path, Path) else path.fs.rm(path.path)


def unreadable(path: Place, error: Exception) -> StoreError:
    """What to say of a file that does not let itself be read."""
    return StoreError(
        f"{path}: cannot be read ({_why(error)}); see to rights and connections there, or choose another with --store"
    )


def unwritable(path: Place, error: Exception) -> StoreError:
    """What to say of a file that does not let itself be written."""
    return StoreError(
        f"{path}: cannot be written ({_why(error)}); make room or rights there, or choose another with --store"
    )


@contextlib.contextmanager
def _told(path: Place, say: Any) -> Iterator[None]:
    """What goes wrong with a file is told as a StoreError; the library behind an address raises whatever it likes."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        if isinstance(path, Path) and not isinstance(error, OSError):
            raise
        raise say(path, error) from error


def _why(error: Exception) -> str:
    """The system's words, without the parts of an address that others must not read."""
    said = str(getattr(error, "strerror", None) or error).strip() or type(error).__name__
    return without_credentials(said.splitlines()[0])
