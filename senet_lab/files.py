"""Bytes in files: on a disk, or behind any address that fsspec knows (s3://, gs://, sftp://, ...).

On a disk a file is written aside and moved into place, so a reader finds the old one or the new one.
Object stores put a file whole or not at all. What any other file system may leave half written, readers
find out by its digest (see `store`).
"""

import contextlib
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from senet_lab.credentials import without_credentials
from senet_lab.errors import StoreError

if TYPE_CHECKING:
    from upath import UPath

Place: TypeAlias = "Path | UPath"
"""A file or folder, here or elsewhere."""
ASIDE = ".*.????????"
"""Names of files that are being written; one that stays was a dead process's."""


def place(text: "str | Place") -> Place:
    """The folder that `--store` names. Raises StoreError for addresses that nothing here can open."""
    if isinstance(text, Path) or "://" not in str(text):
        return Path(str(text)).absolute()
    parts = urlsplit(str(text))
    shown = f"--store {without_credentials(str(text))}"
    if parts.username or parts.password:
        raise StoreError(
            f"{shown}: a user or password does not belong into an address, where others would read it; "
            f"give it the way its service expects, e.g. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for s3://"
        )
    if not parts.netloc and not parts.path.strip("/"):
        raise StoreError(f"{shown}: names no folder; write e.g. s3://bucket/runs")
    from upath import UPath

    try:
        folder = UPath(str(text), use_listings_cache=False)
        _ = folder.fs  # finds out whether the package for this kind of address is installed
    except ImportError as error:
        raise StoreError(f"{shown}: {error} (for s3:// that is: pip install s3fs)") from None
    except Exception as error:
        raise StoreError(f"{shown}: {_why(error)}; give a folder, or an address such as s3://bucket/runs") from None
    return Path(folder.path) if parts.scheme in ("file", "local") else folder


def write(path: Place, payload: bytes, durable: bool = True) -> None:
    """Put `payload` into `path`, whole. `durable` also outlives a power cut. Raises StoreError."""
    with _told(path, unwritable):
        if not isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(payload)
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


def read(path: Place) -> bytes | None:
    """What is in `path`, None where there is no such file. Raises StoreError for what may not be read."""
    with _told(path, unreadable):
        try:
            return path.read_bytes()
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


def folders(path: Place) -> list[Place]:
    """The folders in `path` by name; none where there is no such folder."""
    with _told(path, unreadable):
        try:
            if isinstance(path, Path):
                return sorted(p for p in path.iterdir() if p.is_dir())
            inside = path.fs.ls(path.path, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        names = [found["name"].rstrip("/").rpartition("/")[2] for found in inside if found["type"] == "directory"]
        return [path / name for name in sorted(names)]


def matching(folder: Place, pattern: str) -> list[Place]:
    """What below `folder` has a name of this pattern."""
    with _told(folder, unreadable):
        if isinstance(folder, Path):
            return list(folder.glob(pattern))
        return [folder / found.path.removeprefix(folder.path).lstrip("/") for found in folder.glob(pattern)]


def remove(path: Place) -> None:
    """Take a file away, if that is possible and it is there."""
    with contextlib.suppress(Exception):
        path.unlink(missing_ok=True)


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
    said = str(getattr(error, "strerror", None) or error or type(error).__name__)
    return without_credentials(said.splitlines()[0])
