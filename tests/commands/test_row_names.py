"""Rows called like a terminal's styles are shown as they are called, by every command that shows rows."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from senet_lab import catalog, inventory, store
from senet_lab.progress import Progress
from tests.bad.case import answer
from tests.results.conftest import make_record
from tests.results.gated import network, payload

OPEN, CLOSE, SMILE = "[red]y", "[/red] x", ":x:z"
FILE = f'''"""Is it?"""
from senet_lab import Sweep, recipes
ROWS = {{{CLOSE!r}: {{"model.se.reduction": 2}}, {OPEN!r}: {{"model.se.reduction": 4}},
        {SMILE!r}: {{"model.se.reduction": 8}}}}
SWEEP = Sweep(base=recipes.DIGITS, variants=ROWS, baseline={CLOSE!r}, seeds=2, margin=0.01)
'''


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with such a sweep, done in two settings, gates kept."""
    folder = tmp_path_factory.mktemp("names")
    (folder / "sweeps").mkdir()
    (folder / "sweeps" / "styled.py").write_text(FILE)
    asked = catalog.read(folder / "sweeps" / "styled.py")
    for question in (asked, catalog.derive(asked, {}, recipe="digits_resnet50")):
        found = inventory.take(question, folder / "runs")
        for i, planned in enumerate(found.planned):
            place = found.store.open(planned)
            digest = store.save_gates(place, payload(network(planned.trial.seed)))
            store.finish(place, make_record(planned, 30 + 7 * i % 11, sweep="styled", settings={}, gates=digest))
    return folder


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (["list"], ["styled"]),
        (["plan", "styled", "--probe", "0"], [OPEN, CLOSE, SMILE]),
        (["report", "styled"], [OPEN, CLOSE, SMILE, f"Δ: difference to {CLOSE}"]),
        (["compare", "styled", CLOSE, OPEN], [f"{CLOSE} (a) against {OPEN} (b)"]),
        (["compare", "styled", CLOSE, SMILE, "--prose"], [CLOSE, SMILE]),
        (["seeds", "styled", "--probe", "0"], [OPEN, SMILE, f"in common with {CLOSE}"]),
        (["interaction", "styled", "--recipe", "digits_resnet50"], [OPEN, SMILE, f"difference to {CLOSE}"]),
        (["excitation", "styled", "--row", CLOSE], [OPEN, SMILE, f"Gates of {CLOSE}"]),
        (["why", f"styled:{OPEN}:difference"], [OPEN, CLOSE]),
    ],
    ids=lambda value: value[0] if value[0] != "compare" else " ".join(value[::4]),
)
@pytest.mark.usefixtures("undrawn")
def test_a_command_shows_the_names(workplace, monkeypatch, typed, names):
    monkeypatch.chdir(workplace)
    code, out, err = answer(typed)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert [name for name in names if name not in words] == [], words


def test_so_does_the_live_table(workplace):
    found = inventory.take(catalog.read(workplace / "sweeps" / "styled.py"), workplace / "runs")
    console = Console(file=io.StringIO(), width=100, emoji=False)
    console.print(Progress(console, found, ())._table())
    shown = console.file.getvalue()
    assert all(f"{name} " in shown for name in (OPEN, CLOSE, SMILE))


def test_what_is_written_has_them_too(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    assert answer(["report", "styled", "--to", "kept"]).code == 0
    assert f"| {CLOSE} |" in Path("kept/styled/table.md").read_text()
