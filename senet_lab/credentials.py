"""Addresses as they may be shown: no user, no password, no query."""

import re


def without_credentials(text: str) -> str:
    """`text` with users, passwords and queries taken out of the addresses in it."""
    return re.sub(r"(\w://)(?:\S*@)?([^\s'\"?]*)(\?[^\s'\"]*)?", r"\1\2", text)
