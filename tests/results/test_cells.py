"""The names of a table's numbers and what they are: the same as in the table that people read."""

import pytest

from senet_lab.results import cells, report


@pytest.fixture
def written(question, planned, records):
    return report.analyse(question, planned, records)


def test_every_number_is_what_the_table_prints(written):
    texts, table = written.sheet().texts, written.table().set_index("variant")
    error, difference = (next(c for c in table if c.startswith(head)) for head in ("test error", "Δ"))
    for label, line in table.iterrows():
        cell = {c: texts[f"reduction_ratio:{label}:{c}"] for c in cells.COLUMNS}
        assert f"{cell['error']} [{cell['error.low']},{cell['error.high']}]" == line[error]
        assert (cell["n"], cell["params"], cell["macs"]) == (line["n"], line["params"], line["mult-adds"])
        assert line["verdict"].startswith(cell["verdict"])
        if label != "no_se":
            assert f"{cell['difference']} [{cell['difference.low']},{cell['difference.high']}]" == line[difference]
            assert cell["baseline"] == "no_se"
    assert texts["reduction_ratio:no_se:difference"] == texts["reduction_ratio:no_se:p"] == "-"
    assert texts["reduction_ratio:reduction=8:n"] == "18/20"


def test_facts_and_unrounded_numbers(written):
    sheet = written.sheet()
    facts = {name: sheet.texts[f"reduction_ratio:{name}"] for name in cells.FACTS}
    assert facts == {"seeds": "20", "margin": "0.5 points", "baseline": "no_se"}
    row, mean = sheet.rows[0], written.summary["mean"][0]
    assert row.numbers["error"] == pytest.approx(100 * mean) and row.texts["error"] == f"{100 * mean:.2f}"
    assert set(row.numbers) == set(cells.COLUMNS) - {"verdict", "baseline"}


def test_small_p_are_not_called_zero(make):
    question = make.question("few", 12, grid={"model.se.reduction": (2,)})
    planned = make.plan(question)
    wrong = {"reduction=2": [30 + s % 2 for s in range(12)], "no_se": [60 + s % 3 for s in range(12)]}
    texts = report.analyse(question, planned, make.records(planned, wrong)).sheet().texts
    assert texts["few:reduction=2:p"] == "<0.001"


def test_rows_without_trials_say_nothing(question, planned):
    row = report.analyse(question, planned, []).sheet().rows[0]
    assert {row.texts[c] for c in ("error", "difference", "p", "params", "seconds")} == {"-"}
    assert (row.texts["n"], row.best) == ("0/20", False)
