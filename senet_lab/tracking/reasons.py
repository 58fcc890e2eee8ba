"""What MLflow, a database or the network said when it refused, in a few words with what to do and no secrets."""

import os
import re
import textwrap
from urllib.parse import parse_qsl, unquote

from senet_lab.credentials import without_credentials

LENGTH = 120
SHORTEST = 3
"""Letters that a secret has at least; less is no secret, and is in many words."""
VARIABLES = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD")
SILENT = "it does not answer"
UNWELL = "its server answers with errors: see the server's log, and whether its database is up"
LOGIN = (
    "it refuses this user or password: put them right in the address, "
    "or for a server in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
)
DRIVER = "the driver for PostgreSQL is not installed: pip install -c constraints.txt -e '.[postgresql]'"
OTHER_DRIVER = "the driver for this database is not installed: pip install it and name it, e.g. mysql+pymysql://"
ABSENT = "there is no such database: create it, e.g. with createdb, or correct the address"
LAYOUT = "another version of MLflow wrote it: install that one, or copy the database and run `mlflow db upgrade`"
PROXIED = "an MLflow server keeps the files of this database: give that server's http address instead"
SAID = {
    r"No module named 'psycopg": DRIVER,
    r"No module named '(MySQLdb|pymysql|pyodbc|pymssql)": OTHER_DRIVER,
    r"password authentication failed|no password supplied|Access denied|role \S+ does not exist": LOGIN,
    r"\b(error code|status code:?) 40[13]\b|Unauthorized|not authenticated": LOGIN,
    r"database \S+ does not exist|Unknown database": ABSENT,
    r"out-of-date database schema|Can't locate revision": LAYOUT,
    r"invalid for artifact URI": PROXIED,
    r"error code 5\d\d|too many 5\d\d error": UNWELL,
    r"Max retries exceeded|timed out|timeout expired|Connection (refused|aborted|reset)|closed the connection": SILENT,
    r"terminating connection|the database system is|connection is (bad|closed)": SILENT,
}
"""What to look for in a message, most telling first, and what it means."""


def reason(error: Exception, uri: str) -> str:
    """Why the MLflow at `uri` did not do what it was asked."""
    text = str(error).strip() or type(error).__name__
    for sign, meaning in SAID.items():
        if re.search(sign, text):
            return meaning
    text = without_credentials(text)
    for secret in _secrets(uri):
        text = text.replace(secret, "...")
    return textwrap.shorten(text.splitlines()[0], LENGTH, placeholder=" ...")


def _secrets(uri: str) -> list[str]:
    """Passwords as written, as meant and in parts, as a driver that reads the address otherwise may quote them.

    Longest first, so that nothing is left of one that contains another.
    """
    user, at, _ = uri.partition("://")[2].rpartition("@")
    password = user.partition(":")[2] if at else ""
    known = {value for key, value in parse_qsl(uri.partition("?")[2]) if "pass" in key}
    known |= {password, unquote(password), *re.split(r"[@:/?#]", password)}
    known |= {os.environ.get(name, "") for name in VARIABLES}
    return sorted((secret for secret in known if len(secret) >= SHORTEST), key=len, reverse=True)
