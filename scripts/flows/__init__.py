"""Flows of generalised Newtonian fluids, made with scikit-fem, on which the identification of η(γ̇) is measured."""
