"""Random polynomial velocity fields and a smooth one, with their exact gradients."""

import itertools

import numpy as np


def polynomial(order, dimension, scale=1.0, seed=0):
    """Functions v(x) and L(x) of a random polynomial in x/scale, and its second derivatives H(x)."""
    powers = [e for e in itertools.product(range(order + 1), repeat=dimension) if sum(e) <= order]
    factors = np.random.default_rng(seed).normal(size=(3, len(powers)))

    def value(x, *axes):
        result = np.zeros((len(x), 3))
        for power, factor in zip(powers, factors.T, strict=True):
            left, coefficient = list(power), 1.0
            for axis in axes:
                coefficient *= left[axis] / scale
                left[axis] = max(left[axis] - 1, 0)
            result += coefficient * np.prod((x[:, :dimension] / scale) ** np.array(left), axis=1)[:, None] * factor
        return result

    def derivatives(x, *axes):
        columns = [value(x, *axes, a) if a < dimension else np.zeros((len(x), 3)) for a in range(3)]
        return np.stack(columns, axis=2)

    def second(x):
        parts = [derivatives(x, a) if a < dimension else np.zeros((len(x), 3, 3)) for a in range(3)]
        return np.stack(parts, axis=2)

    return value, derivatives, second


def smooth(x):
    """A smooth field and its gradient: (n, 3) and (n, 3, 3)."""
    X, Y, Z = x.T
    c, s = np.cos, np.sin
    v = np.stack([s(X) * c(Y) * c(Z), -c(X) * s(Y + 0.3 * Z), 0.3 * X * s(2 * Z) + s(X + Y)], axis=1)
    L = np.zeros((len(x), 3, 3))
    L[:, 0] = np.stack([c(X) * c(Y) * c(Z), -s(X) * s(Y) * c(Z), -s(X) * c(Y) * s(Z)], axis=1)
    L[:, 1] = np.stack([s(X) * s(Y + 0.3 * Z), -c(X) * c(Y + 0.3 * Z), -0.3 * c(X) * c(Y + 0.3 * Z)], axis=1)
    L[:, 2] = np.stack([0.3 * s(2 * Z) + c(X + Y), c(X + Y), 0.6 * X * c(2 * Z)], axis=1)
    return v, L
