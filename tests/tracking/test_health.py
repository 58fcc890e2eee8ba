"""Addresses without an MLflow behind them are told apart, with a remedy and without their secrets."""

import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from senet_lab import tracking
from senet_lab.errors import UserError

CANARY = "canary-5up3r"


def test_a_port_in_use_and_a_server_elsewhere_are_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"port {port} is in use; .* --port"):
            tracking.serve("sqlite:///mlflow.db", port, print)
    with pytest.raises(UserError, match=r"http://host/ .* open that address"):
        tracking.serve(f"http://me:{CANARY}@host/", 5000, print)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("garbage", r"garbage is a folder or file, and MLflow 3.13 .* sqlite:///mlflow.db"),
        ("file:///tmp/mlruns", "file:///tmp/mlruns is a folder or file"),
        (f"garbage://me:{CANARY}@host", "garbage://host: .* no store of the kind 'garbage'; allowed: sqlite, .*https"),
        ("postgres://host/db", "did you mean 'postgresql'"),
        ("sqlite://mlflow.db", r"names no file; write sqlite:///"),
        ("sqlite:///no/mlflow.db", r"no/mlflow.db cannot be made: .*/no is no folder .* --tracking-uri"),
        (f"postgresql://me:{CANARY}@127.0.0.1:9/db", r"postgresql://127.0.0.1:9/db does not answer \(.*refused\)"),
        (f"postgresql://me:{CANARY}/x@host/db", r"postgresql://host/db is not a whole address; write .*%40"),
    ],
)
def test_an_address_without_mlflow_is_refused_with_a_remedy(uri, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert re.search(said, found := str(tracking.reachable(uri)))
    assert CANARY not in found
    with pytest.raises(UserError, match=said):
        tracking.serve(uri, 5000, print)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [(200, b"OK", "None"), (401, b"", "None"), (200, b"<html>", "not as an MLflow server"), (404, b"", "see if")],
)
def test_a_server_is_asked_for_its_health(status, body, said):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/team/health" else 500)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            assert "Authorization" not in self.headers

    with HTTPServer(("127.0.0.1", 0), Answer) as http:
        threading.Thread(target=http.handle_request, daemon=True).start()
        found = str(tracking.reachable(f"http://me:{CANARY}@127.0.0.1:{http.server_port}/team/"))
    assert said in found
    assert CANARY not in found
