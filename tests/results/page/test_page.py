"""The page as text: what it says, that it fetches nothing, that nothing from a file or a trial becomes HTML."""

import statistics
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

from senet_lab import catalog
from senet_lab.data import Facts
from senet_lab.results import page, report
from senet_lab.results.page import account, checklist, limits, picture, protocol, typography
from senet_lab.results.page.layout import Facts as Pairs
from senet_lab.results.page.layout import Section, Table, Text
from tests.results import studied
from tests.results.conftest import WRONG, make_plan, make_question, make_record, make_records

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="1in" viewBox="0 0 72 72"></svg>'


class Reader(HTMLParser):
    """What a browser would find: elements with their attributes, text, ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data + " "

    def values(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if attributes.get(name) is not None]


@pytest.fixture(scope="module")
def written():
    """The page of a sweep of which two trials failed, for reasons that are HTML."""
    question = make_question()
    planned = make_plan(question)
    records = make_records(planned, WRONG | {"reduction=8": WRONG["reduction=8"][:18]})
    broken = {"status": "failed", "test": None, "variant": HOSTILE, "traceback": f"Traceback\nError: {HOSTILE}"}
    failed = [make_record(t, **broken) for t in planned if t.id not in {r.id for r in records}]
    asked = replace(question, text=f"Is it? {HOSTILE}\n\nSee `--recipe x`.", changed=(("train.epochs", HOSTILE),))
    return Reader(page.html(report.analyse(asked, planned, [*records, *failed]), [picture_of(HOSTILE)]))


def picture_of(text: str) -> page.Picture:
    return page.Picture("figure", text, text, SVG)


def test_the_sections_and_their_contents(written):
    ids = written.values("id")
    assert len(ids) == len(set(ids))
    sections = ["answer", "results", "figures", "paper", "protocol", "statistics", "limits", "reproduce", "compute"]
    assert [i for i in ids if i in sections] == sections
    assert {*sections, "trials", "checklist"} <= set(ids)
    assert {h[1:] for h in written.values("href") if h.startswith("#")} <= {*ids}
    assert {"row-reduction-2", "row-no_se"} <= set(ids), "an anchor a row"


def test_nothing_is_fetched_and_nothing_runs(written):
    assert {tag for tag, _ in written.elements} & {"script", "iframe", "object", "embed", "form", "base"} == set()
    assert all(address.startswith("data:") for address in written.values("src"))
    links = [a["href"] for tag, a in written.elements if tag == "link"]
    assert links == ["data:,"], "an icon that no browser asks for"
    assert not [name for _, attributes in written.elements for name in attributes if name.startswith("on")]
    policy = [a["content"] for _, a in written.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0].startswith("default-src 'none'")


def test_text_from_files_and_trials_stays_text(written):
    assert written.text.count(HOSTILE) >= 5, "title, head, settings, caption, reason, traceback"
    assert ("code", {}) in written.elements


def test_what_a_reader_needs_is_said(written):
    shown = [x for row, own in WRONG.items() for x in own[: 18 if row == "reduction=8" else 20]]
    p = statistics.median(shown) / 900
    for said in (
        "than no_se",
        "118 of 120 trials are there",
        "2 of the 120 trials that the sweep asks for are not in the numbers. 2 of them failed",
        f"Every trial was tested on the same 900 images. An error of {100 * p:.2f} %",
        f"standard error of {100 * (p * (1 - p) / 900) ** 0.5:.2f} points",
        "senet-lab sweep reduction_ratio.py --set",
        "margin of 0.5 points",
        "2 failed",
        "last epoch",
    ):
        assert said in written.text, said


def test_more_sections_plug_in(question, planned, records):
    frame = pd.DataFrame({"stage": ["1"], "mean gate": ["-0.5"]})
    more = Section("excitation", "Excitation", (Text((Markup("a <em>gate</em>"), "b < c")), Table(frame, "of gates")))
    found = Reader(page.html(report.analyse(question, planned, records), [], [more]))
    ids = found.values("id")
    assert ids.index("excitation") == ids.index("protocol") - 1
    assert ("em", {}) in found.elements and "b < c" in found.text and "\N{MINUS SIGN}0.5" in found.text
    assert "figures" not in ids, "a section without anything in it is not there"


@pytest.mark.parametrize("name", sorted(catalog.names()))
def test_every_shipped_sweep_has_a_page(make, name):
    question, studies = studied.invented(catalog.read(catalog.find(name)))
    planned = make.plan(question)
    found = Reader(page.html(report.analyse(question, planned, [make.record(t) for t in planned], studies=studies)))
    assert f"senet-lab sweep {name}\n" in found.text, "by its name"
    assert sum(i.startswith("row-") for i in found.values("id")) == len(question.rows)
    paths = {c for tag, a in found.elements if tag == "table" for c in a}
    assert paths and "nan" not in found.text.split()


def test_every_setting_in_force_is_told():
    one = {"model": {"se": {"reduction": 2}, "depth": 6}, "seed": 0}
    other = {"model": {"se": None, "depth": 6}, "seed": 0}
    same, varied = protocol.settings({"a": one, "b": other})
    assert same.to_numpy().tolist() == [["model.depth", "6"]]
    assert varied.to_dict("list") == {
        "variant": ["a", "b"],
        "model.se.reduction": ["2", "-"],
        "model.se": ["-", "null"],
    }
    assert protocol.in_words(varied)["settings"].tolist() == ["model.se.reduction=2", "model.se=null"]


def test_trials_that_were_trained_together_are_told(question, planned, records):
    assert protocol.together(report.analyse(question, planned, records)) == ""
    some = [r.model_copy(update={"together": 1 + r.trial.seed % 8}) for r in records]
    told = protocol.together(report.analyse(question, planned, some))
    assert told.startswith("100 of 118 trials were trained as one tensor program") and "up to 8 at once" in told
    assert told.endswith("but for rounding. The others were trained alone.")
    every = report.analyse(question, planned, [r.model_copy(update={"together": 2}) for r in records])
    assert protocol.together(every).endswith("but for rounding.")
    assert "118 of 118 trials were trained as one tensor program" in page.html(every, [])


def test_the_split_is_told_in_images(question, planned, records):
    found = replace(report.analyse(question, planned, records), images={"digits": Facts(906, 891, 1, 8, 10)})
    assert "706 images to train, 200 to validate" in protocol.split(found)
    assert "891 to test" in protocol.split(found)


def test_the_command_is_that_of_the_question(question):
    asked = replace(question, changed=(("recipe", "cifar10"), ("seeds", "3"), ("data.source", "folder:my images")))
    sweep, show = account.commands(report.analyse(asked, (), ()))
    assert sweep == (
        "senet-lab sweep reduction_ratio.py --recipe cifar10 --seeds 3 --set 'data.source=folder:my images'"
    )
    assert show == sweep.replace("sweep", "report", 1)
    shipped = catalog.read(catalog.find("reduction_ratio"))
    assert account.commands(report.analyse(shipped, (), ()))[0] == "senet-lab sweep reduction_ratio"
    elsewhere = replace(question, path=Path("/home/bob/there/mine.py"))
    assert account.commands(report.analyse(elsewhere, (), ()))[0] == "senet-lab sweep mine.py"


def test_a_page_with_older_code_says_that_no_command_makes_it_again(make, question):
    old = make.records(make.plan(question, code="code-0"), {"no_se": [30, 31], "reduction=2": [30, 31]})
    found = report.analyse(question, make.plan(question), old, include_stale=True)
    assert account.commands(found)[1] == account.commands(found)[0].replace("sweep", "report", 1) + " --include-stale"
    code, text, *_ = account.reproduction(found)
    assert "--include-stale" in code.text and "byte by byte" not in " ".join(text.paragraphs)
    assert "are 4 trials by older code: the first line does not run what that code ran" in " ".join(text.paragraphs)
    assert "4 training runs, which one command makes again but for 4 by older code: " in checklist.items(found)[0].text
    new = account.reproduction(report.analyse(question, make.plan(question), ()))
    assert "byte by byte" in " ".join(new[1].paragraphs) and "older code" not in " ".join(new[1].paragraphs)


def test_limits_follow_the_sweep(make):
    question = make.question(seeds=2, grid={"train.learning_rate": (0.05, 0.2)})
    planned = make.plan(question)
    found = report.analyse(question, planned, [make.record(t) for t in planned])
    assert not limits.notices(found)
    assert any("differ in how they are trained" in text for text in limits.limits(found))
    assert not any("one set of hyperparameters" in text for text in limits.limits(found))


def test_numbers_are_set_with_minus_signs_and_intervals_with_room():
    assert typography.number("-0.06 [-0.10,+0.02]") == "\N{MINUS SIGN}0.06 [\N{MINUS SIGN}0.10, +0.02]"
    assert typography.number("-") == "-" and typography.number("SE-ResNet-50") == "SE-ResNet-50"
    assert typography.prose("a `b<c` & d") == "a <code>b&lt;c</code> &amp; d"
    assert typography.heading("Δ [95 % <CI]") == 'Δ <span class="whole">[95 % &lt;CI]</span>'


@pytest.mark.parametrize(
    ("root", "size"),
    [
        ('width="72pt" height="1in"', (96, 96)),
        ('width="100" height="50px" viewBox="0 0 1 1"', (100, 50)),
        ('viewBox="0 0 30.5 20"', (31, 20)),
        ('width="100%" viewBox="0,0,7,8"', (7, 8)),
    ],
)
def test_a_picture_has_the_size_that_it_says(root, size):
    assert picture.size(f'<svg xmlns="http://www.w3.org/2000/svg" {root}/>') == size


def test_a_picture_without_a_size_is_refused():
    with pytest.raises(ValueError, match="has no size"):
        picture.size('<svg xmlns="http://www.w3.org/2000/svg"/>')


def test_every_statistic_of_a_comparison_is_there(question, planned, records):
    found = report.analyse(question, planned, records)
    points, chances = protocol.points(found.comparison), protocol.chances(found.comparison)
    assert points["pairs"].tolist() == ["20", "20", "18", "20", "20"]
    assert np.allclose(points["Δ points"].astype(float), 100 * found.comparison["delta"], atol=5e-4)
    assert np.allclose(chances["p, Holm"].astype(float), found.comparison["p_holm"], atol=5e-5)
    told = protocol.statistics(found)
    assert isinstance(told[0], Pairs) and "Holm over the 5 comparisons" in dict(told[0].pairs)["better, worse"]
