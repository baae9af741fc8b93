"""Viscosity laws of OpenFOAM's cases, as their dictionaries give them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import flowgrad
from flowgrad import OptionError, ReadError
from flowgrad.io.foam.law import case_law
from flowgrad.mesh.generate import block
from flowgrad.rheology.model import parse_model
from tests.io.test_openfoam_meshes import Writer, case

CROSS = "transportModel CrossPowerLaw; CrossPowerLawCoeffs { nu0 0.01; nuInf 10; m 0.4; n 3; }"
RATES = np.array([0.1, 1.0, 30.0])
LAWS = {
    "transportModel Newtonian; nu [0 2 -1 0 0 0 0] 1e-05;": lambda g: 1e-5 + 0 * g,
    "transportModel Newtonian; nu nu [0 2 -1 0 0 0 0] 1e-05;": lambda g: 1e-5 + 0 * g,
    CROSS: lambda g: 10 + (0.01 - 10) / (1 + (0.4 * g) ** 3),
    "transportModel powerLaw; powerLawCoeffs { nuMax 5; nuMin 0.001; k 0.1; n 0.5; }": lambda g: np.clip(
        0.1 * g**-0.5, 0.001, 5
    ),
    "transportModel BirdCarreau; BirdCarreauCoeffs { nu0 2; nuInf 0.1; k 3; n 0.4; }": lambda g: (
        0.1 + 1.9 * (1 + (3 * g) ** 2) ** -0.3
    ),
    "transportModel BirdCarreau; BirdCarreauCoeffs { nu0 2; nuInf 0.1; k 3; n 0.4; a 1; }": lambda g: (
        0.1 + 1.9 * (1 + 3 * g) ** -0.6
    ),
    "transportModel HerschelBulkley; HerschelBulkleyCoeffs { nu0 4; tau0 2; k 0.5; n 0.6; }": lambda g: np.minimum(
        4, (2 + 0.5 * g**0.6) / g
    ),
    "transportModel Casson; CassonCoeffs { m 0.2; tau0 1; nuMin 0.01; nuMax 6; }": lambda g: np.clip(
        (np.sqrt(1 / g) + np.sqrt(0.2)) ** 2, 0.01, 6
    ),
}


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        Writer().file(folder / "constant" / name, "dictionary", text.encode())
    return folder


@pytest.mark.parametrize("text", LAWS)
def test_laws_are_those_of_their_formulas(tmp_path, text):
    found = parse_model(case_law(written(tmp_path, transportProperties=text)))
    np.testing.assert_allclose(found.viscosity(RATES), LAWS[text](RATES), rtol=1e-12)


def test_dictionaries_of_the_foundations_versions(tmp_path):
    momentum = (
        "simulationType laminar; laminar { model generalisedNewtonian; viscosityModel CrossPowerLaw; "
        "CrossPowerLawCoeffs { nu0 0.01; nuInf 10; m 0.4; n 3; } }"
    )
    physical = "viscosityModel constant; nu 1e-06;"
    folder = written(tmp_path, momentumTransport=momentum, physicalProperties=physical)
    assert case_law(folder) == "cross(eta0=0.01, eta_inf=10, lam=0.4, n=3)"
    assert case_law(written(tmp_path / "other", physicalProperties=physical)) == "newtonian(eta=1e-06)"


def test_the_flow_of_a_case_has_its_law(tmp_path):
    folder = written(case(tmp_path / "case", block("hexahedron", 4), Writer()), transportProperties=CROSS)
    gradient = flowgrad.velocity_gradient(flowgrad.read(folder))
    found = flowgrad.separate(gradient, viscosity="case")
    np.testing.assert_allclose(found.eta, LAWS[CROSS](gradient["shear_rate"]), rtol=1e-12)
    assert "--viscosity=case, its cross(eta0=0.01" in flowgrad.separate(gradient).sentence


def test_what_is_no_case_or_tells_no_law_is_refused(tmp_path):
    flow = flowgrad.Flow(block("hexahedron", 3), np.zeros((8, 3)), "cells")
    with pytest.raises(OptionError, match="for OpenFOAM's cases, not for this flow"):
        flowgrad.separate(flowgrad.velocity_gradient(flow), viscosity="case")
    (tmp_path / "a.foam").touch()
    with pytest.raises(ReadError, match="there is none of transportProperties"):
        case_law(tmp_path / "a.foam")
    with pytest.raises(ReadError, match="has the law 'strainRateFunction', which is none of Newtonian"):
        case_law(written(tmp_path, transportProperties="transportModel strainRateFunction;"))
    with pytest.raises(ReadError, match="for 'm', not a number"):
        case_law(written(tmp_path, transportProperties=CROSS.replace("m 0.4", "m $lambda")))


def test_walls_take_the_law_of_the_case_too(tmp_path):
    folder = written(case(tmp_path / "case", block("hexahedron", 4), Writer()), transportProperties=CROSS)
    flow = flowgrad.read(folder)
    found, given = (flowgrad.at_walls(flow, "walls", viscosity=each) for each in ("case", case_law(folder)))
    np.testing.assert_array_equal(found.viscosity, given.viscosity)
