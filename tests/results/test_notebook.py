"""What notebooks show: `senet_lab.open`, rows by label or value, and nothing in a cell but text."""

import re
from html import escape

import pytest

import senet_lab
from senet_lab.errors import UserError
from senet_lab.results import notebook, open_sweep, report


def test_open_is_open_sweep_and_leaves_pythons_alone():
    assert senet_lab.open is open_sweep
    assert "open" not in senet_lab.__all__


def test_a_report_shows_itself(question, planned, records):
    found = report.analyse(question, planned, records)
    shown = found._repr_html_()
    assert shown.startswith("<h3>reduction_ratio</h3><p>How narrow may the bottleneck be?</p><table")
    assert len(re.findall("<tr", shown)) == 7 and "18/20" in shown and found.caption()[:40] in shown
    assert repr(found) == "<reduction_ratio: 6 rows, 118 trials>"


def test_rows_by_label_or_value(question, planned, records):
    found = report.analyse(question, planned, records)
    by_value, by_label = found.compare(2, "no_se"), found.compare("reduction=2", "no_se")
    assert by_value.sentence == by_label.sentence
    shown = by_value._repr_html_()
    assert escape(by_value.sentence) in shown and "paired t test" in shown
    assert str(by_value) == by_value.sentence, "printed, it is the paragraph"
    assert repr(by_value) == f"<reduction=2 - no_se: {by_value.pair.verdict}, 20 common seeds>"
    for wrong in ("64", "reduction"):
        with pytest.raises(UserError, match="there is no row"):
            found.row(wrong)
    with pytest.raises(UserError, match="compared to itself"):
        found.compare(2, "reduction=2")


def test_text_stays_text(question, planned, records):
    shown = notebook.page("<b>", "a & b", "<p>made</p>")
    assert shown == "<h3>&lt;b&gt;</h3><p>a &amp; b</p><p>made</p>"
    frame = report.analyse(question, planned, records).table()
    frame.loc[0, "variant"] = "<script>alert(1)</script>"
    assert "<script>" not in notebook.html(frame)
