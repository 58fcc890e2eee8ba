"""Where MLflow is, how to speak of it without its password, and how to keep it quiet."""

import logging
import os
import warnings
from pathlib import Path

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    # A server that is away must not hold the end of a sweep for minutes; what is missed is caught up.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


def default_uri() -> str:
    """`MLFLOW_TRACKING_URI`, else mlflow.db in the working folder, which is what a bare `mlflow ui` opens."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd() / 'mlflow.db'}"


def artifact_folder(uri: str) -> Path | None:
    """Where artifacts go: ./mlartifacts beside an SQLite file; None where a server decides."""
    if not uri.startswith("sqlite:///"):
        return None
    return Path(uri.removeprefix("sqlite:///").partition("?")[0]).absolute().parent / "mlartifacts"


def hush() -> None:
    """No usage reports, progress bars, migration logs or links on the console. Before mlflow is imported."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings(
        "ignore", "The ``noload`` loader strategy", DeprecationWarning
    )  # mlflow with SQLAlchemy 2.1
    for name in ("mlflow", "alembic", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
