"""Everything senet-lab raises on purpose.

    SenetLabError              exit code
    ├── UserError                  2      a mistake in a file, an option or the surroundings
    │   ├── SpecError                     a value or key that no configuration may have
    │   ├── SweepFileError                a sweep file that cannot be found, read or used
    │   ├── StoreError                    a store that cannot be read or written
    │   └── DataError                     images that are missing or damaged
    ├── TrialsFailed               1      the sweep went to its end, some trials did not
    ├── PaperDiffers               1      a paper says of a number what the store does not
    ├── ClusterLost                1      the Ray that ran the trials went away
    ├── Interrupted              130      Ctrl-C
    ├── Diverged                   -      a training with a loss that is not finite (becomes a record)
    └── Crowded                    -      a GPU that failed, or was too small for a trial and its neighbours

Every message for users says what was wrong, where, what is allowed, and what to do.
"""

import re
from difflib import get_close_matches

LONGEST = 200
"""Characters of a value in a message."""


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


class PaperDiffers(SenetLabError):
    """A paper says of a number what the store does not."""


class ClusterLost(SenetLabError):
    """The Ray that ran the trials went away."""

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(
            f"{where} went away; finished trials are kept and running ones go on from their last epoch. "
            "When it is back, type the same command again"
        )

    def __reduce__(self) -> tuple[type, tuple[str]]:
        """By its argument: it may come from another machine."""
        return type(self), (self.where,)


class Interrupted(SenetLabError):
    """Ctrl-C while trials were running."""

    exit_code = 130

    def __init__(
        self,
        text: str = "stopped; finished trials are kept and running ones go on from their last epoch. "
        "To go on, type the same command again",
    ) -> None:
        super().__init__(text)


class Diverged(SenetLabError):
    """A loss is no longer a finite number."""


class Crowded(SenetLabError):
    """A GPU's memory ran out while other trials had a part of it, or it failed under a group."""


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


def choices(found: object, allowed: list[str], before: str = "") -> str:
    """'allowed: ...', led by the nearest spelling where one is near, with what is written `before` it ("train.")."""
    near = get_close_matches(str(found), allowed, n=1, cutoff=0.5)
    hint = f"did you mean {before + near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(allowed)}"
