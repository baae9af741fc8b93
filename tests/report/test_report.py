"""Pages stand alone, escape what they are given, and are written whole or not at all."""

import dataclasses
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from flowgrad import Cells, Flow, Mesh, Options
from flowgrad.pipeline.analysis import analyse_flow
from flowgrad.report import FileSection, alone, failed_section, file_page, file_section, page_text, write_report
from tests.meshes import SOLIDS, planar

HOSTILE = "<script>alert(1)&\"'.vtu"
VOID = {"meta", "img", "br", "wbr", "link", "input"}
REFERENCES = {"href", "src", "xlink:href", "data", "action", "srcset", "poster"}


class Page(HTMLParser):
    """Open tags, all attributes, ids, and text outside of styles."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text.replace("<wbr>", ""))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def flow(name="case.vtu", mesh=None):
    mesh = mesh or planar("quad")
    velocity = np.column_stack([mesh.points[:, 1] ** 2, 0.1 * mesh.points[:, 0], 0 * mesh.points[:, 0]])
    return Flow(mesh, velocity, "points", source=Path(name))


@pytest.fixture(scope="module")
def section():
    return file_section(analyse_flow(flow(HOSTILE), Options(viscosity="carreau(eta0=1, eta_inf=0.1, lam=2, n=0.5)")))


def single(section):
    return alone(page_text(section))


def page(tmp_path, sections, command=""):
    write_report(tmp_path / "report.html", sections, command)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["single", "several"])
def test_the_page_stands_alone(tmp_path, section, kind):
    several = [section, failed_section("broken.vtu", "is empty: write it again")]
    text = single(section) if kind == "single" else page(tmp_path, several)
    parsed = Page(text)
    assert not parsed.open
    assert "http:" not in text
    assert "https:" not in text
    references = [value for key, value in parsed.attributes if key in REFERENCES]
    assert references
    assert all(value.startswith(("#", "data:image/", "data:,")) for value in references)
    assert {"script", "iframe", "object"}.isdisjoint(parsed.tags)
    assert parsed.tags.count("h1") == (1 if kind == "single" else 2)


def test_a_page_leads_to_the_index_unless_there_is_none(section):
    assert ("href", "../report.html") in Page(page_text(section)).attributes
    assert "report.html" not in single(section)


def test_a_page_is_the_same_bytes_again():
    first, second = (file_page(analyse_flow(flow(), Options(viscosity="0.1"))) for _ in range(2))
    assert first.html == second.html
    assert first.drawn == second.drawn


def test_every_link_within_the_page_has_its_target(tmp_path, section):
    parsed = Page(page(tmp_path, [section, failed_section("broken.vtu", "reason"), section]))
    targets = [value for key, value in parsed.attributes if key == "id"]
    links = {value[1:] for key, value in parsed.attributes if key == "href" and value.startswith("#")}
    assert links <= set(targets)
    assert {"file-1", "file-3", "top"} <= set(targets)


def test_hostile_names_are_shown_not_obeyed(tmp_path, section):
    text = page(tmp_path, [section, failed_section(HOSTILE, "<img src=x onerror=alert(2)>")], HOSTILE)
    parsed = Page(text)
    assert "<script" not in text
    assert "onerror" not in dict(parsed.attributes)
    assert parsed.text.count(HOSTILE) >= 3
    assert HOSTILE in Page(single(section)).text


def test_verdict_reason_and_numbers_are_on_the_page(tmp_path, section):
    failed = failed_section("broken.vtu", "is empty: write it again")
    text = Page(page(tmp_path, [section, failed], {"viscosity": "nu", "quantities": ("D", "W")})).text
    assert section.verdict == "shear-thinning"
    assert section.statement in text
    assert "is empty: write it again" in text
    assert "--viscosity=nu --quantities=D,W" in text
    own = Page(single(section)).text
    assert "given, not found in the data" in text
    assert "finite-difference(order=2)" in own
    assert "the faster the fluid is sheared, the lower its viscosity" in own
    assert "exact where the velocity is a polynomial of degree 2" in own


def test_pictures_are_there_and_small(section):
    parsed = Page(section.html)
    assert parsed.tags.count("figure") == parsed.tags.count("figcaption") >= 7
    assert parsed.tags.count("svg") == 4
    assert len(section.html) < 1_000_000


def test_symbols_are_html(section):
    assert "\\" not in Page(section.html).text
    assert "γ̇" in section.html
    assert "<sub>2</sub>" in section.html


def test_names_inside_figures_are_unique(section):
    names = [value for key, value in Page(section.html).attributes if key == "id"]
    assert len(names) > 10
    assert len(names) == len(set(names))


def test_a_section_holds_strings_only(section):
    assert all(isinstance(value, str) for value in dataclasses.asdict(section).values())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mesh", [SOLIDS["mixed"], SOLIDS["tetra_with_boundary"], planar("triangle")])
@pytest.mark.parametrize("at", ["points", "cells"])
def test_without_stress_there_is_kinematics(mesh, at, tmp_path):
    made = file_section(analyse_flow(flow(mesh=mesh), Options(at=at)))
    text = Page(page(tmp_path, [made])).text
    assert made.verdict == "no-stress-known"
    assert made.origin == "neither stress nor viscosity known"
    assert "shear rate" in text


@pytest.mark.filterwarnings("error")
def test_values_that_are_not_finite(tmp_path):
    base = flow()
    velocity = base.velocity.copy()
    velocity[0] = np.nan
    holes = dataclasses.replace(base, velocity=velocity)
    made = file_section(analyse_flow(holes, Options(viscosity="0.1")))
    text = Page(page(tmp_path, [made])).text
    assert "velocities at points are not finite" in text
    assert "nan" not in text.split()


def test_chosen_quantities_are_pictured():
    made = file_section(analyse_flow(flow(), Options(quantities=("D", "lambda2", "vorticity"))))
    assert "Middle eigenvalue of D² + W²" in Page(made.html).text
    assert "kinematic vorticity number" not in made.html


def test_a_mesh_without_area_is_reported_without_fields():
    points = np.column_stack([np.linspace(0, 1, 6), np.zeros(6), np.zeros(6)])
    line = Mesh(points, Cells.of_type(3, np.column_stack([np.arange(5), np.arange(1, 6)])))
    made = file_section(analyse_flow(flow(mesh=line), Options()))
    assert "No picture of the fields" in Page(made.html).text


def test_an_empty_report_says_so(tmp_path):
    assert "No curve was given." in Page(page(tmp_path, [])).text


def test_a_report_is_written_whole_or_not_at_all(tmp_path, section):
    target = tmp_path / "report.html"
    target.write_text("the old one")
    with pytest.raises(AttributeError):
        write_report(target, [section, None])
    assert target.read_text() == "the old one"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_failed_sections_have_no_part_of_their_own(tmp_path):
    made = failed_section("broken.vtu", "reason")
    assert made == FileSection("broken.vtu", "failed", "", "reason")
    assert "section" not in Page(page(tmp_path, [made])).tags
