"""Generalised finite differences: weighted least-squares fits of polynomials to the samples around each target."""
