"""Everything senet-lab raises on purpose.

    SenetLabError              exit code
    ├── UserError                  2      a mistake in a file, an option or the surroundings
    │   ├── SpecError                     a value or key that no configuration may have
    │   ├── SweepFileError                a sweep file that cannot be found, read or used
    │   ├── StoreError                    a store that cannot be read or written
    │   └── DataError                     images that are missing or damaged
    ├── TrialsFailed               1      the sweep went to its end, some trials did not
    ├── Interrupted              130      Ctrl-C
    └── Diverged                   -      a training with a loss that is not finite (becomes a record)

Every message for users says what was wrong, where, what is allowed, and what to do.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from urllib.parse import unquote

LONGEST = 200
"""Characters of a value in a message."""
SHORTEST_SECRET = 3


class SenetLabError(Exception):
    """Base of all; `exit_code` is what the command line returns."""

    exit_code = 1


class UserError(SenetLabError):
    """Somebody's mistake that they can repair."""

    exit_code = 2


class SpecError(UserError):
    """A value or key that no configuration may have."""


class SweepFileError(UserError):
    """A sweep file that cannot be found, read or used."""


class StoreError(UserError):
    """A store that cannot be read or written."""


class DataError(UserError):
    """Images that are missing or damaged."""


class TrialsFailed(SenetLabError):
    """The sweep went to its end, some of its trials did not."""


class Interrupted(SenetLabError):
    """Ctrl-C while trials were running."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__(
            "stopped; finished trials are kept and running ones go on from their last epoch. "
            "To go on, type the same command again"
        )


class Diverged(SenetLabError):
    """A loss is no longer a finite number."""


def printable(text: str) -> str:
    """`text` with what would steer a terminal (control characters, escape codes, turned text) written out."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """`value` as people write it, cut where it is too long to read."""
    try:
        text = re.sub(r" at 0x[0-9a-f]+>", ">", repr(value))
    except Exception:  # a number of thousands of digits, or a class of somebody else's
        text = f"a value of the type {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text):,} characters)"


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


def choices(found: object, allowed: list[str]) -> str:
    """'allowed: ...', led by the nearest spelling where one is near."""
    near = get_close_matches(str(found), allowed, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(allowed)}"
