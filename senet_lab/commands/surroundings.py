"""MLflow's pages, and whether all that is needed is here."""

from collections.abc import Mapping
from pathlib import Path

from rich.markup import escape

from senet_lab.commands import console
from senet_lab.errors import UserError


def serve_ui(port: int, tracking_uri: str | None) -> None:
    """The MLflow pages until Ctrl-C; prints where they are."""
    from senet_lab import tracking

    def ready(pages: Mapping[str, str]) -> None:
        for name, address in pages.items():
            console.print(f"[bold]{escape(name)}[/]: {escape(address)}", soft_wrap=True)
        console.print("Ctrl-C ends it")

    console.print("starting MLflow ...")
    tracking.serve(tracking_uri or tracking.default_uri(), port, ready)


def doctor(store: str, data_dir: Path, tracking_uri: str | None) -> None:
    """A line per finding. Raises UserError if something is wrong."""
    from senet_lab import doctor, tracking

    wrong = []
    for mark, what, text in doctor.examine(store, data_dir, tracking_uri or tracking.default_uri()):
        style = {"ok": "green", "note": "yellow", "wrong": "red"}[mark]
        console.print(f"[{style}]{mark:>5}[/]  [bold]{escape(what)}[/]: {escape(text)}")
        wrong += [what] if mark == "wrong" else []
    if wrong:
        raise UserError(f"{', '.join(wrong)}: see above for what to do")
