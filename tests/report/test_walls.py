"""The table of walls has the names and dimensions of their records."""

import numpy as np

from flowgrad import Flow, Lattice, Options
from flowgrad.pipeline.analysis import analyse_flow
from flowgrad.report.flow_section import wall_table


def analysis(**options):
    lattice = Lattice.uniform((5, 5), 0.25)
    y = lattice.points[:, 1]
    return analyse_flow(Flow(lattice, np.outer(y * (1 - y), [1.0, 0, 0]), "points"), Options(walls="auto", **options))


def test_headings_and_rows_have_the_same_columns():
    for options in ({}, {"viscosity": "0.1"}):
        found = analysis(**options)
        headings, ((_, values),) = wall_table(found)
        assert len(headings) == len(values)


def test_dimensions_are_those_of_the_walls():
    rate = ("faces", "area [L]", "wall shear rate, mean [1/T]", "its error", "greatest")
    assert wall_table(analysis())[0] == rate
    either = ("wall shear stress, mean [M/(L T²) or L²/T²]", "greatest", "force x [M/T² or L³/T²]", "y", "z")
    assert wall_table(analysis(viscosity="0.1"))[0] == (*rate, *either)
    dynamic = ("wall shear stress, mean [M/(L T²)]", "greatest", "force x [M/T²]", "y", "z")
    dynamic += ("friction velocity, mean [L/T]", "y plus, greatest [1]")
    assert wall_table(analysis(viscosity="0.1", density=1000.0))[0] == (*rate, *dynamic)
