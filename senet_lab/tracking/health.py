"""Whether there is an MLflow at an address, found out in seconds and without importing it."""

import importlib.util
import os
import re
import socket
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote, urlsplit

from senet_lab.credentials import without_credentials
from senet_lab.errors import choices
from senet_lab.tracking.reasons import reason

SERVERS = ("http", "https")
PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
SCHEMES = ["sqlite", *PORTS, *SERVERS]
TIMEOUT_SECONDS = 3.0
REFUSED = (401, 403)
AMBIGUOUS = re.compile(r"[@/?#\[\]]")
"""In a user or password: one reader takes them for its end, another does not."""
NOT_WHOLE = (
    "is not a whole address; write scheme://user:password@host:port/name, "
    "in user and password %40 for @, %2F for /, %23 for #, %3F for ?"
)
ELSEWHERE = "choose another with --tracking-uri"


def refused(uri: str) -> str | None:
    """A sentence like `reachable`'s if no MLflow can ever be at `uri`, up or down."""
    shown = without_credentials(uri)
    scheme, mark, _ = uri.partition("://")
    scheme = scheme.partition("+")[0].lower()
    if not mark or scheme == "file":
        return (
            f"{shown} is a folder or file, and MLflow 3.13 and later keep no runs in plain folders; "
            f"give a database, e.g. sqlite:///mlflow.db, or a server, e.g. http://host:5000 "
            f"(`mlflow migrate-filestore` moves old runs into a database)"
        )
    if scheme not in SCHEMES:
        return f"{shown}: MLflow has no store of the kind {scheme!r}; {choices(scheme, SCHEMES)}"
    if scheme in PORTS and AMBIGUOUS.search(uri.partition("://")[2].rpartition("@")[0]):
        return f"{shown} {NOT_WHOLE}"
    return None


def reachable(uri: str) -> str | None:
    """None if the MLflow at `uri` can be used, else one sentence without credentials: what is wrong, what to do.

    An SQLite file that is not there yet is fine. A server is asked whether it is up; at another
    database it is tried whether we are let in.
    """
    if wrong := refused(uri):
        return wrong
    scheme, _, rest = uri.partition("://")
    scheme = scheme.partition("+")[0].lower()
    if scheme == "sqlite":
        return _sqlite(rest.partition("?")[0])
    try:
        wrong = _server(uri) if scheme in SERVERS else _port(uri, PORTS[scheme]) or _door(uri)
    except ValueError:
        wrong = NOT_WHOLE
    return f"{without_credentials(uri)} {wrong}" if wrong else None


def _sqlite(name: str) -> str | None:
    """`name`: what follows sqlite:// in the address."""
    path = Path(name.removeprefix("/"))
    if not name.startswith("/") or name == "/":
        return f"sqlite://{name} names no file; write sqlite:/// and then its path, e.g. sqlite:///mlflow.db"
    if not path.exists():
        if path.absolute().parent.is_dir() and os.access(path.absolute().parent, os.W_OK):
            return None
        return f"{path} cannot be made: {path.absolute().parent} is no folder that can be written to; {ELSEWHERE}"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=TIMEOUT_SECONDS)) as found:
            tables = {table for (table,) in found.execute("SELECT name FROM sqlite_master")}
            if not tables:
                return None
            if not {"alembic_version", "experiments"} <= tables:
                return f"{path} is a database of something else than MLflow; {ELSEWHERE}"
            revision = str(found.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.Error, TypeError) as error:
        if "locked" in str(error):
            return f"{path} is locked by another program; wait for it or end it, or {ELSEWHERE}"
        return f"{path} cannot be read as MLflow's database ({error}); move it away, or {ELSEWHERE}"
    return _of_other_version(path, revision)


def _of_other_version(path: Path, revision: str) -> str | None:
    """What is wrong if the MLflow that is installed has another layout of tables than `path`."""
    mlflow = importlib.util.find_spec("mlflow")
    if mlflow is None or not mlflow.submodule_search_locations:
        return "mlflow is not installed; pip install -c constraints.txt -e ."
    layouts = Path(mlflow.submodule_search_locations[0]) / "store" / "db_migrations" / "versions"
    if not any(layouts.glob(f"{revision}_*.py")):
        return f"{path} was written by a newer MLflow; install that one, or {ELSEWHERE}"
    if any(f'\ndown_revision = "{revision}"' in p.read_text(encoding="utf-8") for p in layouts.glob("*.py")):
        return f"{path} was written by an older MLflow; copy it, then run `mlflow db upgrade sqlite:///{path}`"
    return None


def _server(uri: str) -> str | None:
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    address = f"{parts.scheme}://{host}{parts.path.rstrip('/')}/health"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
            if answer.read(3) == b"OK":
                return None
    except urllib.error.HTTPError as error:
        if error.code in REFUSED:
            return None
    except (OSError, HTTPException) as error:
        return _silent(getattr(error, "reason", error))
    return f"answers, but not as an MLflow server does; see if the address is right, or {ELSEWHERE}"


def _port(uri: str, usual: int) -> str | None:
    parts = urlsplit(uri)
    if parts.hostname is None:  # a socket file or a data source by name
        return None
    try:
        socket.create_connection((parts.hostname, parts.port or usual), TIMEOUT_SECONDS).close()
    except OSError as error:
        return _silent(error)
    return None


def _door(uri: str) -> str | None:
    try:
        log_in(uri)
    except Exception as error:
        return f"cannot be used: {reason(error, uri)}"
    return None


def log_in(uri: str) -> None:
    """Open the database at `uri` and close it again; raises what its driver raises, within seconds.

    MLflow itself tries ten times and needs 100 s to say that a password is wrong.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    limit = {} if uri.startswith("mssql") else {"connect_timeout": round(TIMEOUT_SECONDS)}
    create_engine(uri, poolclass=NullPool, connect_args=limit).connect().close()


def _silent(error: object) -> str:
    why = getattr(error, "strerror", None) or type(error).__name__
    return f"does not answer ({why}); start it, or {ELSEWHERE}"
