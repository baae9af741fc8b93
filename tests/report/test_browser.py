"""A browser opens the reports: nothing on its console, nothing cut off, legible, and printed well."""

import itertools
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from flowgrad import Options
from flowgrad.batch.run import run
from flowgrad.batch.settings import Cases, Settings
from flowgrad.report import entry_of, failed_entry, write_index
from tests.report.browser import Browser, needed

pytestmark = [needed, pytest.mark.slow]

DEMO = ("offsetCylinder", "planarPoiseuille_Maxwell", "pitzDaily")
WIDTHS = (1280, 390)

HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4')].map(each => +each.tagName[1])"
IMAGES = """({
  all: document.images.length + document.querySelectorAll('svg').length,
  broken: [...document.images].filter(each => !each.complete || !each.naturalWidth).length
    + [...document.querySelectorAll('svg')].filter(each => !each.getBoundingClientRect().width).length,
  unnamed: document.querySelectorAll('img:not([alt]), img[alt=""], svg:not([aria-label])').length,
})"""
UNSCOPED = "document.querySelectorAll('th:not([scope])').length"
# Text whose contrast with what lies behind it is below what the Web Content Accessibility Guidelines ask (1.4.3, AA).
ILLEGIBLE = """(() => {
  const parts = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const found = parts(getComputedStyle(element).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')].filter(element => {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) return false;
    if (element.tagName === 'SCRIPT') return false;
    const style = getComputedStyle(element), inFigure = element.ownerSVGElement;
    const [a, b] = [light(parts(inFigure ? style.fill : style.color)), light(behind(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    return (a + 0.05) / (b + 0.05) < (large ? 3 : 4.5);
  }).map(element => element.outerHTML.slice(0, 100));
})()"""
LINKS = "[...document.querySelectorAll('a[href]')].map(each => each.getAttribute('href'))"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def demo(data, tmp_path_factory):
    """Some of the demo's flows, and a file that is none."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "broken.vtu").write_text("<VTKFile")
    files = [*(data / f"{name}.vtu" for name in DEMO), folder / "broken.vtu"]
    cases = Cases.read(data / "cases.toml", Options())
    # One by one they need no worker; the run on all of them then finds them done.
    for some in (*([each] for each in files), files):
        run(some, folder / "out", cases, Settings())
    return folder / "out"


@pytest.fixture(scope="module")
def pages(demo, tmp_path_factory):
    """Reports by what they are of."""
    large, failed = (tmp_path_factory.mktemp(name) for name in ("large", "failed"))
    shutil.copytree(demo / "report", large / "report")
    options = {"viscosity": "carreau-yasuda(eta0=1, eta_inf=0.1, lam=2, a=2, n=0.5)", "velocity": "x" * 60}
    write_index(large / "report.html", list(two_hundred(demo)), options)
    (failed / "none.vtu").write_text("no mesh")
    run([failed / "none.vtu"], failed / "out", Cases(Options()), Settings())
    return {
        "demo": demo / "report.html",
        "page": demo / "report" / "offsetCylinder.html",
        "elastic": demo / "report" / "planarPoiseuille_Maxwell.html",
        "slender": demo / "report" / "pitzDaily.html",
        "two hundred": large / "report.html",
        "failed": failed / "out" / "report.html",
    }


def two_hundred(demo):
    """Entries of a series, made of one, and some failures."""
    import json

    files = (demo / "offsetCylinder.json", demo / "report" / "offsetCylinder.json")
    one = entry_of("offsetCylinder.vtu", *(json.loads(file.read_text(encoding="utf-8")) for file in files))
    for i in range(180):
        statistics = {
            key: {name: value if isinstance(value, str) else value * (1 + i / 100) for name, value in each.items()}
            for key, each in one.statistics.items()
        }
        page = "report/offsetCylinder.html"
        yield replace(one, name=f"a_rather_long_name_{i:04d}.vtu", time=0.1 * i, statistics=statistics, page=page)
    for i in range(20):
        yield failed_entry(f"bad_{i}.vtu", "refused", "declares 10 points and holds 3: write it again" * (1 + i % 2))


KINDS = ("demo", "page", "elastic", "slender", "two hundred", "failed")


BAD = """<!DOCTYPE html><html><body style="margin: 0"><p style="width: 2000px">wide</p>
<p style="color: #999">pale</p><p style="color: #777; font-size: 30px">pale, but large</p>
<div style="background: #005e93"><p style="color: #333">dark on dark</p></div>
<svg width="50" height="20"><text y="15" fill="#bbb">drawn</text></svg><img src="nothing.png">
<script>undefined_name()</script></body></html>"""


def test_what_is_wrong_is_seen(browser, tmp_path):
    (tmp_path / "bad.html").write_text(BAD)
    browser.open(tmp_path / "bad.html")
    assert any("undefined_name" in each for each in browser.console)
    assert browser.value("document.documentElement.scrollWidth") == 2000
    assert browser.value(IMAGES) == {"all": 2, "broken": 1, "unnamed": 2}
    found = browser.value(ILLEGIBLE)
    assert [re.sub("<[^>]*>", "", each) for each in found] == ["pale", "dark on dark", "drawn"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_shows_well(browser, pages, kind, width):
    browser.open(pages[kind], width)
    assert browser.console == []
    assert browser.value("document.documentElement.scrollWidth") <= width
    images = browser.value(IMAGES)
    assert images["broken"] == images["unnamed"] == 0
    assert images["all"] > 0 or kind == "failed"
    assert browser.value(ILLEGIBLE) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_well_made(browser, pages, kind):
    browser.open(pages[kind])
    levels = browser.value(HEADINGS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert browser.value(UNSCOPED) == 0
    assert browser.value("document.documentElement.lang") == "en"
    for address in browser.value(LINKS):
        assert (pages[kind].parent / address).exists(), address


def test_it_is_readable_without_scripts(browser, pages):
    browser.open(pages["demo"], script=False)
    assert browser.console == [] or all("script" in each.lower() for each in browser.console)
    text = pages["demo"].read_text(encoding="utf-8")
    assert all(name in re.sub("<wbr>", "", text) for name in DEMO)
    assert "<button" not in text


def test_a_heading_sorts_the_table(browser, pages):
    browser.open(pages["two hundred"])
    cells = "[...document.querySelectorAll('.sortable tbody tr')].map(row => row.cells[2].dataset.key)"
    click = "document.querySelectorAll('.sortable thead button')[2].click()"
    for sign in (1, -1):
        browser.value(click)
        keys = browser.value(cells)
        known = [sign * float(each) for each in keys if each]
        assert known == sorted(known)
        assert keys[-20:] == [""] * 20
    assert browser.value("document.querySelector('th[aria-sort]').textContent").startswith("time")
    browser.value("document.querySelectorAll('.sortable thead button')[0].click()")
    first = browser.value("document.querySelector('.sortable tbody th').textContent")
    assert first == "a_rather_long_name_0000.vtu"


@pytest.mark.parametrize("kind", KINDS)
def test_its_print_has_no_empty_page(browser, pages, kind, tmp_path):
    browser.open(pages[kind])
    printed = browser.pdf()
    assert printed.startswith(b"%PDF")
    count = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 1 <= count <= (60 if kind == "two hundred" else 9)
    if shutil.which("pdftotext"):
        (tmp_path / "report.pdf").write_bytes(printed)
        text = subprocess.run(["pdftotext", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True)
        sheets = text.stdout.split("\f")[:-1]
        assert len(sheets) == count
        assert all(len(sheet.split()) > 5 for sheet in sheets)
        if kind == "two hundred":
            rows = [sheet for sheet in sheets if sheet.count("as said above") > 5]
            assert len(rows) > 3
            assert all("In a sentence" in sheet for sheet in rows)


def test_the_page_of_a_file_is_small(pages):
    assert all(page.stat().st_size < 200_000 for page in pages["page"].parent.glob("*.html"))
    assert pages["two hundred"].stat().st_size < 3_000_000
