"""Addresses as they may be shown: no user, no password, no query."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

SHORTEST_SECRET = 3


def without_credentials(text: str) -> str:
    """`text` with users, passwords and queries taken out of the addresses in it."""
    return re.sub(r"(\w://)(?:\S*@)?([^\s'\"?]*)(\?[^\s'\"]*)?", r"\1\2", text)


def without_logins(text: str) -> str:
    """`text` with nothing but users and passwords taken out of the addresses in it."""
    return re.sub(r"(\w://)[^\s/@]*@", r"\1", text)


def without_secrets(text: str, typed: Iterable[str]) -> str:
    """`text` without the credentials and queries of the addresses in `typed`, whole addresses or half ones."""
    secrets: set[str] = set()
    for address in typed:
        before, at, _ = re.sub(r"^(.*?//|--[\w-]+=)", "", address).rpartition("@")
        user, colon, password = before.partition(":")
        secrets |= {before, password} if colon else {user + at}
        query = address.partition("?")[2] if "//" in address else ""
        secrets |= {query, *(setting.partition("=")[2] for setting in query.split("&"))}
    for secret in sorted(secrets | {unquote(s) for s in secrets}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:  # anything shorter would be taken out of the words themselves
            text = text.replace(secret, "***@" if secret.endswith("@") else "***")
    return text
