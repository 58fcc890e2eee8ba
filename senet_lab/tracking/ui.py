"""MLflow's own pages, on this machine only."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from senet_lab.credentials import without_credentials
from senet_lab.errors import UserError
from senet_lab.tracking.address import QUIET, artifact_folder, is_server
from senet_lab.tracking.health import reachable
from senet_lab.tracking.view import VIEW_TAG, home_url, table_url

HOST = "127.0.0.1"
START_SECONDS = 120
ERROR = re.compile(r"^[\w.]*(Error|Exception): ")
"""The last line of a traceback."""


def serve(uri: str, port: int, ready: Callable[[Mapping[str, str]], object]) -> int:
    """Serve the UI of the store at `uri` on 127.0.0.1 until Ctrl-C.

    `ready` gets the addresses, as soon as they answer: of the list of sweeps, and of each sweep's table by name.
    Raises UserError if `uri` has a UI of its own or nothing at it, the port is taken, or the server does not start.
    """
    if is_server(uri):
        shown = without_credentials(uri)
        raise UserError(f"{shown} is an MLflow server and serves its own pages; open that address in a browser")
    if wrong := reachable(uri):
        raise UserError(wrong)
    _refuse_taken(port)
    folder = artifact_folder(uri)
    quiet = QUIET | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_BACKEND_STORE_URI": uri}
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--artifacts-destination", str(folder)] if folder else []
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the server must not outlive this process
    with tempfile.TemporaryFile("w+") as output:
        server = subprocess.Popen(command, env=os.environ | quiet, stdout=output, stderr=output, start_new_session=True)
        try:
            if _answers(server, port):
                ready(_addresses(f"http://{HOST}:{port}"))
                server.wait()
            output.seek(0)
            errors = [line for line in without_credentials(output.read()).splitlines() if ERROR.search(line)]
            last = errors[-1] if errors else "it did not say why"
            shown = without_credentials(uri)
            raise UserError(f"the MLflow server on {shown} ended ({last}); see if that store can be read")
        except KeyboardInterrupt:
            return 0
        finally:
            _stop(server)


def _addresses(base: str) -> dict[str, str]:
    query = json.dumps({"max_results": 1000}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{base}/api/2.0/mlflow/experiments/search", query, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = json.load(answer).get("experiments", [])
    ours = [e for e in found if any(t["key"] == VIEW_TAG for t in e.get("tags", []))]
    return {"all sweeps": home_url(base)} | {e["name"]: table_url(base, e["experiment_id"]) for e in ours}


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise UserError(f"port {port} is in use; choose another one, e.g. --port {port + 1}") from None


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server answers; False if it ended before that, or never does."""
    until = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and the workers it started."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, kind)
        except ProcessLookupError:
            break
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
