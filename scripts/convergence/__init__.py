"""Convergence studies: orders, exactness, other people's code on the same data, and the errors in the README."""
