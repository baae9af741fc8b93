"""Options of reading: one record that gives ``read`` its signature, and refuses what cannot be right for any file."""

import dataclasses
import inspect

import numpy as np
import pytest

from flowgrad import OptionError, read, read_series
from flowgrad.io import ReadOptions, flow_of, read_contents, write_vtu
from tests import meshes

MESH = meshes.SOLIDS["mixed"]


@pytest.fixture
def path(tmp_path):
    write_vtu(tmp_path / "case.vtu", MESH, {"U": MESH.points, "sigma": np.ones(len(MESH.points))})
    return tmp_path / "case.vtu"


def test_read_takes_the_fields_of_the_record():
    parameters = list(inspect.signature(read).parameters.values())[1:]
    assert [(each.name, each.default) for each in parameters] == [
        (field.name, field.default) for field in dataclasses.fields(ReadOptions)
    ]
    assert [each.name for each in parameters if each.kind == each.POSITIONAL_OR_KEYWORD] == [
        *("velocity", "location", "boundary")
    ]


def test_read_is_the_flow_of_the_contents(path):
    options = ReadOptions("U", noise="sigma", length_scale=0.001)
    one, other = read(path=path, velocity="U", noise="sigma", length_scale=0.001), flow_of(read_contents(path), options)
    np.testing.assert_array_equal(one.mesh.points, other.mesh.points)
    np.testing.assert_array_equal(one.noise, other.noise)


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        ({"location": "faces"}, "--location 'faces'.*points.*cells"),
        ({"length_scale": 0.0}, "--length-scale.*0.0"),
        ({"time": np.inf}, "--time.*inf"),
        ({"noise": -1.0}, "--noise.*-1"),
        ({"noise": "-1"}, "--noise.*-1"),
        ({"axisymmetric": "z"}, "--axisymmetric 'z'.*x, y or none"),
        ({"out_of_plane": "one"}, "--out-of-plane 'one'.*zero, unknown or incompressible"),
        ({"velocity": ""}, "--velocity.*empty"),
    ],
)
def test_what_fits_no_file_is_refused(path, given, facts):
    with pytest.raises(OptionError, match=facts):
        read(path, **given)


def test_an_array_of_noise_and_a_symmetry_that_is_forbidden_may_be_given(path):
    noise = np.linspace(0, 1, len(MESH.points))
    np.testing.assert_array_equal(read(path, noise=noise).noise, noise)
    assert read(path, axisymmetric=False).axisymmetric == "none"


def test_a_series_takes_no_time(path):
    with pytest.raises(OptionError, match=r"case\.vtu.*time"):
        read_series(path, time=1.0)
