"""Compiled loop: the rates of positions and deformation gradients."""

from __future__ import annotations

from flowgrad.compiled import kernel


@kernel()
def deform(velocity, L, inside, y, rates):  # type: ignore[no-untyped-def]
    """dy/dt (m, 12) of positions and F (m, 12): v, and L F; zero for particles that are not inside."""
    for p in range(len(y)):
        if not inside[p]:
            rates[p] = 0.0
            continue
        for i in range(3):
            rates[p, i] = velocity[p, i]
            a, b, c = L[p, i, 0], L[p, i, 1], L[p, i, 2]
            for j in range(3):
                rates[p, 3 + 3 * i + j] = a * y[p, 3 + j] + b * y[p, 6 + j] + c * y[p, 9 + j]
