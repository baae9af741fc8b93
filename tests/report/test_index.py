"""The index: what is said once, what failed, what belongs to one series, and what sorts by its numbers."""

import json

import pytest

from flowgrad import Options
from flowgrad.pipeline.analysis import analyse_flow
from flowgrad.report import Entry, entry_of, failed_entry, file_page, write_index
from flowgrad.report.index import columns
from flowgrad.report.time_series import progressions
from tests.report.test_report import Page, flow

RATE = {"minimum": 0.0, "maximum": 2.0, "mean": 1.0, "percentile_5": 0.1, "median": 1.0, "percentile_95": 1.9}


def entry(name="a.vtu", **given):
    usual = {"statement": f"Of {name}.", "count": 10, "mesh": [9, 4], "statistics": {"shear_rate": RATE}}
    return Entry(name, **{"verdict": "newtonian", **usual, **given})


def index(tmp_path, entries):
    write_index(tmp_path / "report.html", entries, {"viscosity": "nu"})
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_verdicts_are_counted_and_explained(tmp_path):
    text = Page(index(tmp_path, [entry(), entry("b.vtu"), entry("c.vtu", verdict="shear-thinning")])).text
    assert "3 files: 2 newtonian, 1 shear-thinning." in text
    assert "the viscosity is the same however fast the fluid is sheared" in text
    assert "--viscosity=nu" in text


def test_a_sentence_of_several_files_is_said_once(tmp_path):
    entries = [entry(f"{i}.vtu", statement="Give --stress=NAME.") for i in range(4)]
    text = Page(index(tmp_path, [*entries, entry("z.vtu", statement="Its own.")])).text
    assert text.count("--stress=NAME") == 1
    assert text.count("as said above") == 4
    assert text.count("Its own.") == 1


def test_failures_are_grouped_by_their_reason(tmp_path):
    failed = [failed_entry(f"bad-{i:02d}.vtu", "refused", "is empty: write it again") for i in range(25)]
    text = Page(index(tmp_path, [entry(), *failed, failed_entry("slow.vtu", "timeout", "not finished")])).text
    assert "cannot be analysed as it is 25 bad-00.vtu" in text
    assert "bad-19.vtu and 5 more" in text
    assert "took longer than was allowed" in text


def test_steps_of_one_mesh_are_a_series():
    steps = [entry(f"step_{i}.vtu", time=0.1 * (5 - i)) for i in range(5)]
    found = progressions([*steps, entry("other.vtu", time=1.0), entry("step_9.vtu", mesh=[1, 1])])
    assert [each.name for each in found] == ["step_*"]
    assert found[0].times == tuple(sorted(found[0].times))
    assert [each.name for each in found[0].entries] == [f"step_{i}.vtu" for i in (4, 3, 2, 1, 0)]


def test_without_times_the_numbers_of_the_names_count():
    found = progressions([entry(f"step_{i}.vtu") for i in (10, 9, 8)])
    assert found[0].is_numbered
    assert found[0].times == (8, 9, 10)
    assert progressions([entry("a.vtu"), entry("b.vtu"), entry("c.vtu")]) == []


def test_a_series_is_drawn_over_time(tmp_path):
    steps = [entry(f"step_{i}.vtu", time=float(i), viscosity=0.1, unexplained=0.2) for i in range(4)]
    page = Page(index(tmp_path, steps))
    assert page.tags.count("svg") == page.tags.count("figcaption") == 3
    assert "Shear rate over time: mean and greatest" in page.text
    assert "time t [T]" in page.text


def test_a_magnitude_is_called_one_and_files_are_counted_in_whole_numbers(tmp_path):
    high = {key: 1000 * value for key, value in RATE.items()}
    steps = [entry(f"step_{i}.vtu", statistics={"vorticity": {**high, "symbol": r"|\omega|"}}) for i in range(4)]
    page = Page(index(tmp_path, steps))
    assert "vorticity|ω|[1/T]" in page.text.replace(" ", "")
    assert "Vorticity over the files: mean and greatest, shaded" in page.text
    assert "0.5" not in [word.strip() for word in page.words]


def test_columns_are_those_in_which_some_file_has_a_number():
    assert [each.name for each in columns([entry()])] == ["shear rate, mean", "shear rate, greatest", "left out"]
    assert [each.name for each in columns([entry(time=0.0, viscosity=1.0, error=0.1)])][:1] == ["time"]
    assert columns([failed_entry("a.vtu", "refused", "why")]) == []
    other = {"vorticity": RATE}
    assert columns([entry(statistics=other)])[0].name == "vorticity, mean"


def test_numbers_sort_by_their_values_and_missing_ones_have_none(tmp_path):
    parsed = Page(index(tmp_path, [entry(time=2.5e-7), entry("b.vtu")]))
    keys = [value for key, value in parsed.attributes if key == "data-key"]
    assert {"2.5e-07", ""} <= set(keys)


def test_names_are_shown_not_obeyed(tmp_path):
    hostile = "<script>alert(1)&\"'.vtu"
    text = index(tmp_path, [entry(hostile, page="report/x.html"), failed_entry(hostile, "refused", hostile)])
    assert "<script>alert" not in text
    assert text.count("<script>") == 1


def test_an_empty_index_says_so(tmp_path):
    assert "No file was given." in Page(index(tmp_path, [])).text


@pytest.mark.parametrize("count", [1, 300])
def test_every_file_has_its_line(tmp_path, count):
    entries = [entry(f"f{i}.vtu", page=f"report/f{i}.html") for i in range(count)]
    parsed = Page(index(tmp_path, entries))
    links = {value for key, value in parsed.attributes if key == "href"}
    assert {f"report/f{i}.html" for i in range(count)} <= links


def test_a_line_has_what_name_json_has_and_what_was_drawn():
    analysis = analyse_flow(flow(), Options(viscosity="0.1"))
    summary, drawn = (json.loads(json.dumps(each)) for each in (analysis.summary(), file_page(analysis).drawn))
    made = entry_of("a.vtu", summary, drawn, "report/a.html")
    assert (made.name, made.verdict, made.count) == ("a.vtu", summary["verdict"], len(analysis.gradient))
    assert made.viscosity == pytest.approx(0.1)
    assert made.statistics["shear_rate"]["mean"] == summary["statistics"]["shear_rate"]["mean"]
    assert made.statistics["principal_rates"]["symbol"].startswith("|")
    assert made.thumbnail == drawn["thumbnail"]
    assert entry_of("a.vtu", summary, {}).thumbnail is None
