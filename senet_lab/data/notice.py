"""A line on the terminal for what takes a while: how far it is, and what is left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)


class Notice:
    """Call it after each piece of work. Goes to stderr, leaves nothing behind, and shows on terminals only."""

    def __init__(self, text: str, total: int, *, is_bytes: bool = False) -> None:
        console = Console(stderr=True)
        amount: ProgressColumn = DownloadColumn() if is_bytes else MofNCompleteColumn()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            amount,
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(text, total=total)

    def __call__(self, pieces: int = 1) -> None:
        self._progress.advance(self._task, pieces)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
