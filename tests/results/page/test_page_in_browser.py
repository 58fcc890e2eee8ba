"""The page in a real browser: on a phone, on a desk, on paper. One browser is started for all of it."""

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from senet_lab import catalog
from senet_lab.results import artifacts, page, report
from tests.results.conftest import WRONG, make_plan, make_question, make_record, make_records

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE, DESK, SHEET = (375, 812), (1280, 900), (688, 1000)
"""CSS pixels; an A4 sheet less its margins is 182 mm wide."""
TOO_WIDE = """() => [...document.querySelectorAll('main *, nav, header *')].filter(e => {
    const box = e.getBoundingClientRect(), inside = e.parentElement.closest('.scroll, pre, textarea')
    return !inside && box.width > 0 && (box.right > innerWidth + 1 || box.left < -1) && !e.closest('thead')
}).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))"""
CONTRAST = """() => {
    const light = c => { const v = c / 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }
    const parts = text => text.match(/[0-9.]+/g).map(Number)
    const luminance = ([r, g, b]) => .2126 * light(r) + .7152 * light(g) + .0722 * light(b)
    const behind = e => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor)
        if (c.length < 4 || c[3] > 0) return c } return [255, 255, 255] }
    return [...document.querySelectorAll('.chip, p, dd, dt, td, th, a')].filter(e => e.textContent.trim()).map(e => {
        const [a, b] = [luminance(parts(getComputedStyle(e).color)), luminance(behind(e))]
        return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.className + ' ' + e.textContent.slice(0, 30)]
    }).sort((x, y) => x[0] - y[0])[0]
}"""


def executable() -> str:
    """The installed browser; without one these tests fail."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail("no browser: apt-get install chromium")
    return found


def test_without_a_browser_these_tests_fail_and_name_the_package(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        executable()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as engine:
        started = engine.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        yield started
        started.close()


def failing() -> report.Report:
    """A row that failed as a whole, trials of older code, a long label, text that is HTML."""
    question = make_question(variants={"A" * 60: {"model.se.reduction": 2}, "r8": {"model.se.reduction": 8}})
    question = replace(question, text="Is <script>document.title = 'hacked'</script> safe?\n\n<b>No?</b>")
    planned = make_plan(question)
    broken = "Traceback\n" + "x" * 300 + "\nError: <img src=http://127.0.0.1:9/x onerror=alert(1)>"
    records = [
        make_record(t, status="failed", test=None, traceback=broken) if t.variant.label == "r8" else make_record(t)
        for t in planned
    ]
    return report.analyse(question, planned, records)


def backbones() -> report.Report:
    """The widest tables that are shipped: 16 rows of different families."""
    question = catalog.read(catalog.find("architectures"))
    planned = make_plan(question)
    return report.analyse(question, planned, [make_record(t, 30 + 7 * t.trial.seed % 5) for t in planned])


def complete() -> report.Report:
    question = make_question()
    planned = make_plan(question)
    return report.analyse(question, planned, make_records(planned, WRONG))


@pytest.fixture(scope="module", params=[complete, failing, backbones], ids=lambda make: make.__name__)
def seen(request, browser, tmp_path_factory):
    """A page that is open, and whatever it asked for or complained about."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    found = request.param()
    path.write_text(page.html(found, artifacts.pictures(found)), encoding="utf-8")
    tab, noise = browser.new_page(), []
    tab.on("request", lambda asked: noise.append(asked.url) if not asked.url.startswith("data:") else None)
    tab.on("console", lambda said: noise.append(said.text))
    tab.on("pageerror", lambda error: noise.append(str(error)))
    tab.on("dialog", lambda dialog: noise.append(dialog.message))
    tab.goto(path.as_uri())
    yield SimpleNamespace(tab=tab, noise=noise, address=path.as_uri())
    tab.close()


def test_it_asks_for_nothing_and_complains_of_nothing(seen):
    seen.tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert seen.noise == [seen.address]
    assert "hacked" not in seen.tab.title() or "<script>" in seen.tab.title()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_wider_than_the_screen(seen, size):
    seen.tab.set_viewport_size({"width": size[0], "height": size[1]})
    seen.tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert seen.tab.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert seen.tab.evaluate(TOO_WIDE) == []


def test_a_shadow_says_that_a_figure_goes_on_beside_the_screen(seen):
    """At the edge that cuts it, and no more at its end."""
    seen.tab.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    box = seen.tab.locator(".picture .scroll").first

    def lightest_at_the_right():
        return np.asarray(Image.open(io.BytesIO(box.screenshot())).convert("L"))[8:-8, -4].max()

    box.evaluate("e => e.scrollLeft = 0")
    assert lightest_at_the_right() < 230
    box.evaluate("e => e.scrollLeft = e.scrollWidth")
    assert lightest_at_the_right() > 250


def test_every_figure_has_a_size(seen):
    seen.tab.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    sizes = seen.tab.evaluate(
        "[...document.images].map(i => [i.complete, i.naturalWidth, i.clientWidth, i.clientHeight])"
    )
    assert sizes and all(complete and min(rest) > 100 for complete, *rest in sizes)


def test_anchors_lead_somewhere(seen):
    lost = (
        "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.getElementById(a.hash.slice(1))).length"
    )
    assert seen.tab.evaluate(lost) == 0
    row = seen.tab.locator(".verdicts a").first
    row.click()
    target = seen.tab.evaluate("document.querySelector(':target').getBoundingClientRect().top")
    assert 0 <= target < DESK[1] and seen.tab.evaluate("document.querySelector(':target').id.startsWith('row-')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read(seen, scheme):
    """Contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    seen.tab.emulate_media(color_scheme=scheme)
    worst, where = seen.tab.evaluate(CONTRAST)
    assert worst >= 4.5, where


def test_printed_it_is_whole(seen):
    """Everything folded is open, nothing is wider than the sheet, fields to copy from are left out."""
    seen.tab.emulate_media(media="print", color_scheme="light")
    seen.tab.set_viewport_size({"width": SHEET[0], "height": SHEET[1]})
    seen.tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
    heights = "[...document.querySelectorAll('section, details:not(.copy) > :not(summary)')].map(e => e.clientHeight)"
    assert min(seen.tab.evaluate(heights)) > 0
    wide = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert seen.tab.evaluate(f"{wide}.map(e => e.tagName + ' ' + e.textContent.slice(0, 40))") == []
    assert not seen.tab.locator("textarea").first.is_visible()
    printed = seen.tab.pdf(prefer_css_page_size=True)
    seen.tab.emulate_media(media="screen")
    assert printed.startswith(b"%PDF") and 3 <= printed.count(b"/Type /Page\n") <= 14
