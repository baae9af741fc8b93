"""What a run leaves of a report, and what becomes of it when the run goes on."""

import pytest

from flowgrad import Options
from flowgrad.batch.files import remove_parts
from flowgrad.batch.manifest import FileRecord
from flowgrad.batch.run import display_names
from flowgrad.batch.run import run as run_batch
from flowgrad.batch.settings import Cases
from flowgrad.io import write_vtu
from flowgrad.report import alone
from tests.meshes import planar


def write_flow(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    mesh = planar("triangle")
    write_vtu(path, mesh, {"U": mesh.points[:, [1, 2, 2]]})
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A flow, and the results of a run on it."""
    folder = tmp_path_factory.mktemp("batch")
    run([write_flow(folder / "a" / "step.vtu")], folder / "single")
    return folder


def run(files, out):
    return run_batch(files, out, Cases(Options()))


def test_the_report_of_one_file_is_its_page(home):
    page = (home / "single/report/step.html").read_text(encoding="utf-8")
    report = (home / "single/report.html").read_text(encoding="utf-8")
    assert report == alone(page)
    assert report != page


def test_files_of_one_name_are_told_apart():
    records = [FileRecord(f"results/{part}/step.vtu", f"{part}-step") for part in "ab"]
    assert list(display_names([each.file for each in records]).values()) == ["a/step.vtu", "b/step.vtu"]
    alike = [*records, FileRecord("elsewhere/c.vtu", "c")]
    assert display_names([each.file for each in alike])["elsewhere/c.vtu"] == "elsewhere/c.vtu"
    assert display_names([records[0].file]) == {"results/a/step.vtu": "step.vtu"}


def test_a_page_that_is_gone_is_made_again_the_same(home):
    page = home / "single/report/step.html"
    before = page.read_bytes()
    page.unlink()
    run([home / "a/step.vtu"], home / "single")
    assert page.read_bytes() == before


def test_what_a_killed_worker_left_of_a_page_is_removed(tmp_path):
    for name in (".step.html.12345678.part", ".step.json.12345678.part", ".other.html.12345678.part", "step.html"):
        (tmp_path / name).write_text("")
    remove_parts(tmp_path, {"step"})
    assert sorted(each.name for each in tmp_path.iterdir()) == [".other.html.12345678.part", "step.html"]
