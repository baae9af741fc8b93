"""Exact flows and scalars, in closed form: the value and its exact gradient at any position, to measure against."""

from flowgrad.exact.flow import EXACT_FLOWS, ExactFlow, NamedFlow
from flowgrad.exact.flow import FlowFormula as Formula
from flowgrad.exact.homogeneous import BiaxialExtension, PlanarExtension, RigidRotation, SimpleShear, UniaxialExtension
from flowgrad.exact.manufactured import Axisymmetric, Linear, PlanarWaves, Polynomial, Vortices, Waves
from flowgrad.exact.periodic import ABC, DoubleGyre, TaylorGreen, TaylorGreen3D
from flowgrad.exact.poiseuille import Couette, PipePoiseuille, PlanePoiseuille
from flowgrad.exact.scalars import EXACT_SCALARS, BivariateNormal, ExactScalar, GaussianHill, Rosenbrock
from flowgrad.exact.spheres import HillVortex, StokesSphere
from flowgrad.exact.swirl import Burgers, LambOseen, Rankine, TaylorCouette

__all__ = [
    "ABC",
    "EXACT_FLOWS",
    "EXACT_SCALARS",
    "Axisymmetric",
    "BiaxialExtension",
    "BivariateNormal",
    "Burgers",
    "Couette",
    "DoubleGyre",
    "ExactFlow",
    "ExactScalar",
    "Formula",
    "GaussianHill",
    "HillVortex",
    "LambOseen",
    "Linear",
    "NamedFlow",
    "PipePoiseuille",
    "PlanarExtension",
    "PlanarWaves",
    "PlanePoiseuille",
    "Polynomial",
    "Rankine",
    "RigidRotation",
    "Rosenbrock",
    "SimpleShear",
    "StokesSphere",
    "TaylorCouette",
    "TaylorGreen",
    "TaylorGreen3D",
    "UniaxialExtension",
    "Vortices",
    "Waves",
]
