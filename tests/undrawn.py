"""Reports without pictures, for tests that look at something else: drawing takes most of a report's seconds.

Everything else of a report is real, and all its files are there.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from senet_lab.commands import report

COMMAND = (
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent.parent)!r}); from tests import undrawn; "
    "undrawn.undraw_later(); from senet_lab.cli import main; main()",
)
"""`senet-lab` in a process of its own."""


def undraw(patch: Callable[[Any, str, Any], None] = setattr) -> None:
    """Let reports of this process be without pictures from now on."""
    from senet_lab.results import artifacts

    empty = artifacts.Drawing(b"png", b"pdf", '<svg xmlns="http://www.w3.org/2000/svg" width="1pt" height="1pt"/>')
    patch(artifacts, "draw", lambda name, shown: empty)
    patch(artifacts, "gates", lambda report: ())
    patch(report, "cores", lambda: 1)


def undraw_later() -> None:
    """The same, and nothing is imported before there is a report."""
    show = report.show_report

    def shown(*given: Any, **more: Any) -> Any:
        undraw()
        return show(*given, **more)

    report.show_report = shown
    report.cores = lambda: 1
