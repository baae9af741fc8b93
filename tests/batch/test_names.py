"""Names of results: apart from each other, from the inputs, and from files of others."""

from pathlib import Path

import pytest

from flowgrad import OptionError
from flowgrad.batch.files import expand, names, remove_parts
from flowgrad.batch.manifest import FileRecord, Manifest
from flowgrad.batch.settings import Settings


def chosen(folder, *files, **more):
    return list(names([Path(each) for each in files], folder, **more).values())


def test_the_stem_is_the_name(tmp_path):
    assert chosen(tmp_path, "a/x.vtu", "b/y.v1.vtu", "c/z.vtu.gz") == ["x", "y.v1", "z"]


def test_one_stem_takes_the_suffix_then_the_folders(tmp_path):
    assert chosen(tmp_path, "x.vtu", "x.vtk") == ["x-vtu", "x-vtk"]
    assert chosen(tmp_path, "a/x.vtu", "b/x.vtu") == ["a-x", "b-x"]
    assert len(set(chosen(tmp_path, "a/x.vtu", "b/x.vtu", "a-x.vtu"))) == 3


def test_names_that_differ_in_case_only_do_not_meet(tmp_path):
    assert len({name.casefold() for name in chosen(tmp_path, "x.vtu", "X.vtu")}) == 2


def test_the_walls_of_one_file_are_not_the_result_of_another(tmp_path):
    files = [Path("x.vtu"), Path("x_walls.vtu")]
    assert list(names(files, tmp_path).values()) == ["x", "x_walls"]
    found = names(files, tmp_path, with_walls=files)
    results = {f"{name}{end}" for name in found.values() for end in (".vtu", "_walls.vtu")}
    assert len(results) == 4


def test_no_result_takes_the_place_of_an_input(tmp_path):
    for name in ("x.vtu", "y_walls.vtu"):
        (tmp_path / name).touch()
    with pytest.raises(OptionError, match="overwrite an input"):
        names([tmp_path / "x.vtu"], tmp_path)
    with pytest.raises(OptionError, match="overwrite an input"):
        names([Path("y.vtk"), tmp_path / "y_walls.vtu"], tmp_path)


def test_links_to_inputs_are_seen(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.vtu").touch()
    (tmp_path / "out").symlink_to(tmp_path / "in")
    with pytest.raises(OptionError, match="overwrite an input"):
        names([tmp_path / "in" / "x.vtu"], tmp_path / "out")


def test_other_names_of_an_input_are_seen(tmp_path):
    """A hard link, and a file system that ignores case, show the same file under another name."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "X.VTU").touch()
    (tmp_path / "X.vtu").hardlink_to(tmp_path / "in" / "X.VTU")
    with pytest.raises(OptionError, match="overwrite an input"):
        names([tmp_path / "in" / "X.VTU"], tmp_path, ours={"X"})


@pytest.mark.parametrize("name", ["x.json", "x_walls.vtu", "summary.csv", "report.html", "run.toml"])
def test_files_of_others_are_left_alone(tmp_path, name):
    (tmp_path / name).write_text('{"mine": true}')
    with pytest.raises(OptionError, match=f"{name} is there and is no result"):
        chosen(tmp_path, "a/x.vtk")


def test_a_table_that_is_called_as_the_summary_is_not_overwritten(tmp_path):
    (tmp_path / "summary.csv").touch()
    with pytest.raises(OptionError, match="overwrite an input"):
        chosen(tmp_path, tmp_path / "summary.csv", ours={"summary"})


def test_what_a_shard_without_files_has_left_is_ours(tmp_path):
    for name in ("manifest-3-of-3.jsonl", "run.toml"):
        (tmp_path / name).touch()
    assert chosen(tmp_path, "a/x.vtk") == ["x"]


def test_patterns_leave_out_results_and_nothing_else(tmp_path):
    for name in ("x.vtu", "y.vtu", "z.vtu", "report/x.vtu", "deep/x.vtu", "summary.csv", "table.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "y.json").write_text('{"provenance": {}}')
    with Manifest(tmp_path / "manifest.jsonl") as manifest:
        manifest.add(FileRecord("a/x.vtu", "x"))
    patterns = [str(tmp_path / "**" / "*.vtu"), str(tmp_path / "*.csv")]
    found = expand(patterns, tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in found} == {"z.vtu", "deep/x.vtu", "table.csv"}


def test_a_result_without_its_summary_is_ours_only_if_the_manifest_knows_it(tmp_path):
    (tmp_path / "x.vtu").touch()
    with pytest.raises(OptionError, match="no result of flowgrad"):
        chosen(tmp_path, "a/x.vtu")
    assert chosen(tmp_path, "a/x.vtu", ours={"x"}) == ["x"]


@pytest.mark.parametrize("count", [1, 3, 7, 20])
def test_shards_are_a_partition(count):
    files = [Path(f"{number}.vtu") for number in range(10)]
    parts = [Settings(shard=f"{part}/{count}").own(files) for part in range(1, count + 1)]
    assert sorted(each for part in parts for each in part) == sorted(files)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_only_what_is_left_of_ones_own_files_is_removed(tmp_path):
    own = (".x.vtu.0a1b2c3d.part", ".x_walls.vtu.0a1b2c3d.part", ".x.json.0a1b2c3d.part")
    others = (".y.vtu.0a1b2c3d.part", "x.vtu", ".x.vtu", "x.vtu.0a1b2c3d.part")
    for name in (*own, *others):
        (tmp_path / name).touch()
    remove_parts(tmp_path, {"x"})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_files_of_a_pattern_come_by_their_numbers(tmp_path):
    for name in ("step_10.vtu", "step_2.vtu", "step_1.vtu", "step.vtu", "10_step.vtu"):
        (tmp_path / name).touch()
    found = [path.name for path in expand([str(tmp_path / "*.vtu")])]
    assert found[-4:] == ["step.vtu", "step_1.vtu", "step_2.vtu", "step_10.vtu"]
