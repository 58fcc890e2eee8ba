"""What others say when they refuse, in our words: telling, with a remedy, without a password."""

import pytest

from senet_lab.tracking.reasons import SILENT, reason

CANARY = "canary-5up3r"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("HTTPConnectionPool(host='h', port=1): Max retries exceeded with url: /api/2.0/mlflow/runs", SILENT),
        ("('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))", SILENT),
        ('connection to server at "127.0.0.1", port 1 failed: Connection refused', SILENT),
        ("server closed the connection unexpectedly", SILENT),
        ("terminating connection due to administrator command", SILENT),
        ('FATAL:  password authentication failed for user "lab"', "refuses this user or password"),
        ("API request to endpoint /x failed with error code 401 != 200. Response body: ''", "MLFLOW_TRACKING_PASSWORD"),
        ("API request to endpoint /x failed with error code 503 != 200. Response body: ''", "server's log"),
        ("Max retries exceeded with url: /x (Caused by ResponseError('too many 500 error responses'))", "server's log"),
        ('FATAL:  database "nowhere" does not exist', "createdb"),
        ("No module named 'psycopg'", r".[postgresql]"),
        ("No module named 'MySQLdb'", "mysql+pymysql://"),
        ("Detected out-of-date database schema (found version a, but expected b)", "mlflow db upgrade"),
        ("The configured tracking uri: 'x' is invalid for artifact URI 'mlflow-artifacts:/1'", "http address"),
        ("something odd\nand more of it", "something odd"),
    ],
)
def test_known_refusals_become_sentences_with_a_remedy(theirs, ours):
    said = reason(RuntimeError(theirs), "http://host")
    assert ours in said and "\n" not in said


@pytest.mark.parametrize(
    "uri",
    [
        f"postgresql://me:{CANARY}@host/db",
        f"postgresql://me:x@{CANARY}@host/db",
        f"postgresql://me@host/db?password={CANARY}",
        f"http://me:{CANARY.replace('-', '%2D')}@[host",
    ],
)
def test_a_password_that_a_message_quotes_by_itself_is_taken_out(uri):
    said = reason(ValueError(f"odd port {CANARY!r}, see https://a:{CANARY}@b/"), uri)
    assert CANARY not in said and said.startswith("odd port '...'")


def test_a_password_of_the_environment_is_taken_out_and_a_message_that_is_none_has_a_name(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", CANARY)
    assert CANARY not in reason(ValueError(f"basic {CANARY}"), "http://host")
    assert reason(KeyError(), "http://host") == "KeyError"
