"""Workbooks: a sheet or several, numbers as Excel keeps them, what is no workbook."""

import sys
import zipfile
from xml.sax.saxutils import escape

import numpy as np
import pytest

from flowgrad import FlowgradError, ReadError, read_flow_curves
from flowgrad.errors import MissingDependencyError
from tests.rheometer.tables import ETA, RATE, STRESS, is_the_fluid, write

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def cell(value):
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>' if value else "<c/>"
    return f"<c><v>{float(value)!r}</v></c>"


def xlsx(path, sheets):
    """A workbook of sheets (name -> rows of texts and numbers), written part by part (ECMA-376)."""
    names = list(sheets)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
        f'PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
            for i in range(len(names))
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(f'<sheet name="{escape(n)}" sheetId="{i + 1}" r:id="r{i}"/>' for i, n in enumerate(names))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{i}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
            for i in range(len(names))
        )
        + "</Relationships>",
    }
    for i, rows in enumerate(sheets.values()):
        body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{i}.xml"] = f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)
    return path


def flow(factor=1.0):
    head = [["Flow sweep"], ["Shear rate", "Stress", "Viscosity"], ["1/s", "kPa", "Pa·s"]]
    return [*head, *zip(RATE, factor * STRESS / 1e3, factor * ETA, strict=True)]


@pytest.fixture
def calamine():
    return pytest.importorskip("python_calamine", reason="python-calamine is not installed")


def test_a_sheet(tmp_path, calamine):
    (curve,) = read_flow_curves(xlsx(tmp_path / "gel.xlsx", {"Sheet1": [["Sample", "Gel 7"], [""], *flow()]}))
    assert is_the_fluid(curve, rtol=1e-14)
    assert (curve.name, curve.is_si) == ("Gel 7", True)


@pytest.mark.parametrize("ending", ["xls", "ods", "csv", "dat"])
def test_the_content_tells_a_workbook(tmp_path, calamine, ending):
    xlsx(tmp_path / "gel.xlsx", {"Sheet1": flow()}).rename(tmp_path / f"gel.{ending}")
    assert is_the_fluid(read_flow_curves(tmp_path / f"gel.{ending}")[0])


def test_an_open_document(tmp_path, calamine):
    """Parts of ODF 1.2; values are kept beside what is shown of them."""
    spaces = " ".join(
        f'xmlns:{each}="urn:oasis:names:tc:opendocument:xmlns:{each}:1.0"' for each in ("office", "table", "text")
    )

    def shown(value):
        start = "<table:table-cell office:value-type="
        if isinstance(value, str):
            return f'{start}"string"><text:p>{value}</text:p></table:table-cell>'
        return f'{start}"float" office:value="{float(value)!r}"><text:p>{value:.3g}</text:p></table:table-cell>'

    rows = "".join(f"<table:table-row>{''.join(map(shown, row))}</table:table-row>" for row in flow())
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(tmp_path / "gel.ods", "w") as archive:
        archive.writestr("mimetype", kind)
        manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        archive.writestr(
            "META-INF/manifest.xml",
            f'<m:manifest xmlns:m="{manifest}"><m:file-entry m:full-path="/" m:media-type="{kind}"/></m:manifest>',
        )
        archive.writestr(
            "content.xml",
            f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="Gel">{rows}'
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    assert is_the_fluid(read_flow_curves(tmp_path / "gel.ods")[0])


def test_a_column_of_formulas_without_values(tmp_path, calamine):
    """As programs leave them that never calculate: the viscosity tells the stress."""
    rows = [
        ["Shear rate", "Viscosity", "Stress"],
        ["1/s", "Pa s", "Pa"],
        *([r, e, ""] for r, e in zip(RATE, ETA, strict=True)),
    ]
    assert is_the_fluid(read_flow_curves(xlsx(tmp_path / "gel.xlsx", {"Sheet1": rows}))[0])


def test_sheets_are_steps(tmp_path, calamine):
    creep = [["Step time", "Strain", "Compliance"], ["s", "%", "1/Pa"], *((i, 3 * i, 0.1 * i) for i in range(1, 9))]
    sheets = {"Details": [["Sample name", "Gel"], ["Operator", "N. N."]], "Flow - 1": flow(), "Creep - 2": creep}
    first, second = read_flow_curves(xlsx(tmp_path / "gel.xlsx", {**sheets, "Flow - 3": flow(2.0)}))
    assert is_the_fluid(first, rtol=1e-14)
    assert is_the_fluid(second, 2.0, rtol=1e-14)
    assert (first.name, second.name) == ("Gel Flow - 1", "Gel Flow - 3")
    assert "'Gel Creep - 2' is no flow curve" in first.notes[0]


def test_samples_side_by_side(tmp_path, calamine):
    head = [["Water", "", "Oil", ""], ["Shear rate [1/s]", "Stress [Pa]"] * 2]
    rows = [*head, *zip(RATE, STRESS, RATE, 2 * STRESS, strict=True)]
    first, second = read_flow_curves(xlsx(tmp_path / "two.xlsx", {"Sheet1": rows}))
    assert (first.name, second.name) == ("Water", "Oil")
    assert is_the_fluid(second, 2, rtol=1e-14)


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(100), b"\xd0\xcf\x11\xe0" + bytes(600)])
def test_what_is_no_workbook(tmp_path, calamine, content):
    with pytest.raises(ReadError, match=r"cannot be read as a workbook .*export its table as CSV"):
        read_flow_curves(write(tmp_path, content))


def test_an_empty_workbook(tmp_path, calamine):
    with pytest.raises(ReadError, match="is empty"):
        read_flow_curves(xlsx(tmp_path / "none.xlsx", {"Sheet1": []}))


def test_damaged_workbooks_are_refused(tmp_path, calamine):
    good = xlsx(tmp_path / "good.xlsx", {"Sheet1": flow()}).read_bytes()
    random = np.random.default_rng(0)
    for _ in range(60):
        bad = bytearray(good)
        for place in random.integers(0, len(bad), 5):
            bad[place] = random.integers(256)
        path = write(tmp_path, bytes(bad), "bad.xlsx")
        try:
            curves = read_flow_curves(path)
        except FlowgradError:
            continue
        # Checksums and the markup leave little that can change.
        assert len(curves) >= 1


def test_without_the_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingDependencyError, match=r"pip install flowgrad\[excel\], or save its sheets as CSV"):
        read_flow_curves(xlsx(tmp_path / "gel.xlsx", {"Sheet1": flow()}))
