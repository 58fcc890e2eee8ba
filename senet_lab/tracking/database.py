"""An SQLite file of MLflow's that is whole from its first moment.

MLflow makes its tables in many steps, and does not find its way out of a file in which a killed process left some
of them. So they are made elsewhere, and the file is put where it belongs when it is done.
"""

import os
import shutil
import tempfile
import uuid
from pathlib import Path


def make(uri: str) -> None:
    """Make the SQLite file that `uri` names, where there is none or an empty one; other addresses are left alone."""
    path = Path(uri.removeprefix("sqlite:///").partition("?")[0]).absolute()
    if not uri.startswith("sqlite:///") or (path.exists() and path.stat().st_size):
        return
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory(prefix="senet-lab-mlflow-") as scratch:
        made = Path(scratch, "mlflow.db")
        MlflowClient(f"sqlite:///{made}").search_experiments(max_results=1)
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        try:
            shutil.copyfile(made, aside)
            _place(aside, path)
        finally:
            for left in path.parent.glob(f".{path.name}.????????"):  # ours, and what killed processes left
                left.unlink(missing_ok=True)


def _place(aside: Path, path: Path) -> None:
    """Give a file its name, unless another command that began at the same time was faster."""
    if path.exists() and not path.stat().st_size:
        aside.replace(path)
        return
    try:
        os.link(aside, path)
    except FileExistsError:
        return
    except FileNotFoundError:  # another command was faster, and tidied up
        if not path.exists():
            raise
    except OSError:  # a file system without links
        aside.replace(path)
