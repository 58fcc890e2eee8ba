"""A real PostgreSQL and a real MLflow server on it, on free ports of this machine's loopback, for tests."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CANARY = "canary-5up3r"
"""The password of the database."""
USER = "lab"
SECONDS = 300
MISSING = (
    "this test starts a real PostgreSQL and found none here; install it: "
    "apt-get install postgresql (Debian and Ubuntu), brew install postgresql (macOS)"
)


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs. Fails the test, with the remedy, where there is none."""
    folders = [str(p) for p in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if asked := shutil.which("pg_config"):
        folders.insert(0, subprocess.run([asked, "--bindir"], capture_output=True, text=True).stdout.strip())
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))
    return found or pytest.fail(MISSING, pytrace=False)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait(process: "subprocess.Popen[bytes]", ready: "list[str] | str", log: Path) -> None:
    """Until the command `ready` succeeds or the address `ready` answers; fails if `process` ends before."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            if isinstance(ready, str):
                urllib.request.urlopen(ready, timeout=5).close()
            else:
                subprocess.run(ready, check=True, capture_output=True)
            return
        except (OSError, subprocess.CalledProcessError):
            time.sleep(0.1)
    raise AssertionError(f"not ready in {SECONDS} s: {log.read_text(errors='replace')}")


class Postgres:
    """A running database server; knows its password."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self._log = port, log

    def refusals(self) -> int:
        """How often it has let somebody not in."""
        return self._log.read_text(errors="replace").count("FATAL:")

    def uri(self, database: str, password: str = CANARY, scheme: str = "postgresql") -> str:
        return f"{scheme}://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template0") -> None:
        where = ["--host=127.0.0.1", f"--port={self.port}", f"--username={USER}", f"--template={template}"]
        command = [program("createdb"), *where, database]
        subprocess.run(command, check=True, env=os.environ | {"PGPASSWORD": CANARY}, timeout=SECONDS)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL with a data folder of its own.

    It refuses to run as root, so root hands it to another user; pytest's own folders are closed to that one.
    """
    account = _other_account() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="senet-lab-postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(CANARY)
        if account:
            for path in (folder, folder / "password"):
                os.chown(path, account.pw_uid, account.pw_gid)
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        data, port = folder / "data", free_port()
        make = [program("initdb"), "--pgdata", str(data), "--username", USER, "--pwfile", str(folder / "password")]
        make += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, timeout=SECONDS, **who)
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        serve = [program("postgres"), "-D", str(data), "-p", str(port)]
        serve += [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(serve, stdout=log, stderr=log, cwd=folder, **who)
            try:
                wait(server, [program("pg_isready"), "-h", "127.0.0.1", "-p", str(port)], folder / "log")
                yield Postgres(port, folder / "log")
            finally:
                server.send_signal(signal.SIGINT)  # "fast": ends the sessions that are open
                server.wait(timeout=SECONDS)


def _other_account() -> pwd.struct_passwd:
    names = {account.pw_name: account for account in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


class TeamServer:
    """`mlflow server` on a database; it can be started, killed and started again on the same port."""

    def __init__(self, backend: str, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._backend = backend
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", self._backend, "--workers", "1"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"} | quiet
        log = self.folder / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, env=environment, cwd=self.folder, start_new_session=True
            )
        wait(self._process, f"{self.uri}/health", log)

    def kill(self) -> None:
        """As a power cut would: no answer, no goodbye."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=SECONDS)
            self._process = None


@contextmanager
def team_server(backend: str, folder: Path) -> Iterator[TeamServer]:
    """Not started yet; nothing of it is left afterwards."""
    folder.mkdir()
    server = TeamServer(backend, folder)
    try:
        yield server
    finally:
        server.kill()
