"""The calls: gradients, Jacobians, Hessians, products, in the words of their users."""

import numpy as np
import pytest
from scipy import special

from flowgrad import DerivativeError, OptionError
from flowgrad.autodiff import directional_derivative, gradient, hessian, jacobian, jvp, vjp
from flowgrad.autodiff.rules import FUNCTION_RULES
from flowgrad.autodiff.rules_special import known_functions

X = np.random.default_rng(1).uniform(0.3, 0.9, (4, 3))
M = np.random.default_rng(2).normal(size=(3, 3))

# One function or more of every rule for arrays.
FUNCTIONS = {
    "sums": lambda x: x.sum(axis=0) + np.mean(x, axis=0) - np.add.reduce(x) + np.cumsum(x, axis=0)[-1] + x.mean(),
    "shapes": lambda x: np.reshape(x, (3, 4)).T.ravel().reshape(2, 6)[:, ::2] + np.squeeze(x[None])[0, 0],
    "axes": lambda x: np.swapaxes(x, 0, 1)[:, :2] + np.moveaxis(x, 0, 1)[:, 2:] + np.expand_dims(x[0], 1) * x.T[0, 0],
    "joined": lambda x: np.concatenate([x, np.ones((1, 3)), x * x]) + np.vstack([x, x, x[:1]]),
    "columns": lambda x: np.column_stack([x[:, 0], np.arange(4.0), x[:, 1]]) + np.hstack([x[:, :1], x[:, 1:]]),
    "stacked": lambda x: np.stack([x[..., 0], x[..., 1] ** 2, 1 + 0 * x[..., 2]], axis=-1),
    "rolled": lambda x: np.roll(x, 1, axis=0) + np.flip(x, 0) * np.tile(x[0], (4, 1)) + np.repeat(x[:2], 2, axis=0),
    "parts": lambda x: np.split(x, 2)[1] * np.take(x, [0, 1], axis=0) - np.diff(x, axis=0)[:2] + np.diag(x[:3])[None],
    "triangles": lambda x: np.tril(x[:3]) + np.triu(x[1:]) * np.trace(x[:3]) + np.diagonal(x[:3]),
    "broadcast": lambda x: np.broadcast_to(x[0], (4, 3)) + np.atleast_2d(x[1]) * np.meshgrid(x[0], x[:, 1])[0],
    "products": lambda x: np.prod(x, axis=0) + np.cumprod(x, axis=0)[-1] + np.prod(x) + np.multiply.reduce(x),
    "matrices": lambda x: x @ M + np.dot(x, M.T) - np.matmul(x, x.T @ x) + np.tensordot(x, M, 1) + np.inner(x, M),
    "vectors": lambda x: np.cross(x, x[::-1] ** 2) + np.outer(x[:, 0], x[0]) + np.kron(x[0], x[:, 1])[:3],
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x) + np.einsum("ij,ij", x, x) + np.einsum("...j->...", x),
    "convolution": lambda x: np.convolve(x[0], x[1]) + np.polyval([1, 2, 3], x[0, 0]),
    "inverse": lambda x: np.linalg.inv(x[:3]) + np.linalg.solve(x[:3], x[1:]) + np.linalg.det(x[:3]),
    "determinants": lambda x: np.linalg.det(x[:2, :2]) + np.linalg.det(np.tile(x, (2, 2))[:4, :4] + 5 * np.eye(4)),
    "norms": lambda x: np.linalg.norm(x, axis=-1) + np.linalg.norm(x) + np.linalg.norm(x, axis=1, keepdims=True)[0],
    "extremes": lambda x: x.max(axis=0) - np.min(x, axis=0) + np.ptp(x) + np.max(x, 1)[0] + np.clip(x, 0.5, 0.6)[0],
    "moments": lambda x: np.var(x, axis=0) + x.std(axis=0, ddof=1) + np.average(x, 0, np.arange(4.0)),
    "choices": lambda x: np.select([x < 0.5, x < 0.7], [x * x, np.sin(x)], 2 * x) + np.where(x > 0.6, x, 1.0),
    "pieces": lambda x: np.piecewise(x, [x < 0.5, x >= 0.5], [lambda y: y**2, lambda y: y**3]),
    "tables": lambda x: np.interp(x, [0.0, 0.55, 1.0], [0.0, 1.0, -1.0]) + np.nan_to_num(x),
    "sinc": lambda x: np.sinc(x) + np.sinc(1e-4 * x),
    "filled": lambda x: filled(x),
    "in place": lambda x: changed(x),
    "masks": lambda x: x[np.array([True, False, True, True])][[0, 2]] * x[:2, None, [2, 0, 1]][:, 0],
    "special": lambda x: special.erf(x) * special.jv(2, x) + special.gamma(1 + x) + special.xlogy(x, x),
    "methods": lambda x: x.copy().clip(0.4, 0.8).dot(M).transpose().astype(float).ravel() + x.prod(),
    "turned": lambda x: np.rot90(x).T + np.fliplr(x) * np.flipud(x) + np.rollaxis(x, 1).T + np.real(x),
    "cut": lambda x: np.hsplit(x, 3)[0] + np.vsplit(x, 4)[1] * np.array_split(x, 3)[2] + np.dsplit(x[None], 3)[0][0],
    "chosen": lambda x: np.compress([1, 0, 1, 1], x, axis=0) + np.delete(x, 1, 0) - np.resize(x, (3, 3)),
    "put together": lambda x: np.block([[x], [x * x]]) + np.dstack([x, x])[..., 0][0] + np.append(x, x, 0),
    "flat": lambda x: np.append(x, x[0]) * np.atleast_1d(x[0, 0]) + np.atleast_3d(x[0])[0, 0, 0] + empty(x)[0, 0],
    "along an axis": lambda x: np.take_along_axis(x, np.argsort(x, axis=0), 0) + np.amax(x) - np.amin(x, axis=0),
    "correlated": lambda x: np.correlate(x[0], x[1], "full") * np.vdot(x, x),
    "unpacked": lambda x: [sum(row) for row in x],
}  # fmt: skip


def empty(x):
    out = np.empty_like(x)
    out[...] = 2 * x
    return out


def filled(x):
    out = np.zeros_like(x)
    out[:, 0] = x[:, 1] * x[:, 2]
    out[1:, 1] = np.ones_like(x)[1:, 0] + np.full_like(x, x[0, 0])[1:, 0]
    out[0, 2] = 3
    out[out > 2] = 7.0
    return out


def changed(x):
    y = x.copy()
    y *= 2
    y[:2] += x[2:]
    y -= np.sin(x)
    return y


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arrays_are_differentiated_as_differences_are(name):
    def function(x):
        return np.asarray(FUNCTIONS[name](x))

    h, found = 1e-4, jacobian(FUNCTIONS[name], X)
    for index in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[index] = h
        expected = 8 * (function(X + step) - function(X - step)) - function(X + 2 * step) + function(X - 2 * step)
        np.testing.assert_allclose(found[(..., *index)], expected / (12 * h), rtol=1e-8, atol=1e-9)


def test_every_rule_for_arrays_is_tried():
    tried = set()
    for function in FUNCTIONS.values():
        rules = {key: _marking(key, rule, tried) for key, rule in FUNCTION_RULES.items()}
        with pytest.MonkeyPatch.context() as patch:
            for key, rule in rules.items():
                patch.setitem(FUNCTION_RULES, key, rule)
            jacobian(function, X)
    left = {key.__name__ for key in FUNCTION_RULES if key.__module__.startswith("numpy")} - tried
    assert not left


def _marking(key, rule, tried):
    def call(*args, **options):
        tried.add(key.__name__)
        return rule(*args, **options)

    return call


def test_the_questions_of_calculus():
    def f(x):
        return x[0] ** 2 + x[0] * x[1] + x[2]

    at = [-1, 2, 3]
    np.testing.assert_array_equal(gradient(f, at), [0, -1, 1])
    np.testing.assert_array_equal(hessian(f, at), [[2, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert directional_derivative(f, at, [1, 1, 0]) == pytest.approx(-1 / np.sqrt(2))
    assert jvp(f, at, [1, 1, 0]) == -1
    np.testing.assert_array_equal(vjp(lambda x: [f(x), x[1]], at, [2, 3]), [0, 1, 2])


def test_hessians_of_many_variables_are_symmetric_and_right():
    def f(x):
        return np.exp(-np.sum(x * x)) * np.sin(x[0] * x[1]) / (1 + x[2] ** 2) + np.linalg.norm(x) ** 3

    H, x, h = hessian(f, X[0]), X[0], 1e-5
    np.testing.assert_allclose(H, H.T, rtol=0, atol=1e-13)
    differences = [(gradient(f, x + h * e) - gradient(f, x - h * e)) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(H, differences, rtol=1e-8)


def test_derivatives_within_derivatives_are_not_confused():
    """d/dx of x·d/dy(x + y) is 1, not 2 (Siskind & Pearlmutter 2005)."""
    assert gradient(lambda x: x * plain_slope(lambda y: x + y), 3.0) == 1


def plain_slope(f):
    from flowgrad.autodiff import Dual
    from flowgrad.autodiff.dual import next_level

    return f(Dual(1.0, [1.0], next_level())).derivative[0]


def slope_with_a_cast(x):
    return float(x[0]) + x[1]


def slope_with_plain_array(x):
    out = np.zeros(2)
    out[0] = x[0]
    return out


def slope_in_place(x):
    out = np.zeros(3)
    out += x
    return out


REFUSED = {
    "fft": (lambda x: np.fft.fft(x), r"numpy\.fft.*fft.*line \d+ of test_functions"),
    "frexp": (lambda x: np.frexp(x)[0], "frexp"),
    "cast": (slope_with_a_cast, r"float\(x\[0\]\) \+ x\[1\].*NumPy's functions"),
    "array": (lambda x: np.array([x[0], x[1]]), r"np\.stack instead of np\.array"),
    "written into": (slope_with_plain_array, r"out\[0\] = x\[0\].*zeros_like"),
    "in place": (slope_in_place, r"out \+= x.*y = y \+"),
    "order of a Bessel function": (lambda x: special.jv(x, 1.0), r"scipy\.special\.jv with respect to its argument 1"),
    "table": (lambda x: np.interp(0.5, x, [1.0, 2.0, 3.0]), "its table"),
    "keyword": (lambda x: np.max(x, initial=0), "numpy.max with these arguments .*initial"),
    "indices": (lambda x: np.take([1.0, 2.0], x), "not its first argument"),
    "norm of another order": (lambda x: np.linalg.norm(x, 1), "ord=1"),
    "integer": (lambda x: x.astype(int), "astype"),
    "attribute": (lambda x: x.imag, "imag"),
    "math": (lambda x: __import__("math").sin(x[0]), "math"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_derivative_is_refused_with_its_name(name):
    function, words = REFUSED[name]
    with pytest.raises(DerivativeError, match=words):
        jacobian(function, [0.3, 0.4, 0.5])


def shifted(x):
    z = x * x
    y = z - 1
    y *= x
    return y * z


def viewed(x):
    z = x * x
    y = z.reshape(-1)
    y[0] = 5
    return z * x


def seen(x):
    z = x * x
    y = z.ravel()
    z[0] = x[1]
    return y * x


def turned(x):
    y = x.copy()
    u, _, _ = y.T
    u *= 2
    return y * x


def copied(x):
    import copy

    y, z = copy.copy(x), copy.deepcopy(x)
    y[0] = 3
    return y * z * x


@pytest.mark.parametrize("f", [shifted, copied])
def test_arrays_that_are_changed_change_no_others(f):
    x, h = np.array([0.3, -0.7, 1.2]), 1e-6
    expected = np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(3)], axis=-1)
    np.testing.assert_allclose(jacobian(f, x), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    "f", [viewed, seen, lambda x: np.sum(x, out=np.zeros(())), lambda x: np.clip(x, 0, 1, out=1 * x)]
)
def test_views_whose_slopes_would_be_left_behind_are_refused(f):
    with pytest.raises(DerivativeError, match="in place"):
        jacobian(f, [0.3, -0.7, 1.2])
    with pytest.raises(DerivativeError, match="in place"):
        jacobian(turned, np.eye(3))


SUBTLE = {
    "branches of fewer axes": lambda x: np.where(x > 0, x * x, np.zeros((3, 1))),
    "branches of fewer rows": lambda x: np.where(x > 0, x[0] * np.ones((2, 1)), x),
    "pieces that overlap": lambda x: np.piecewise(x, [x > -1, x > 0], [lambda y: y**2, lambda y: y**3]),
    "a bare condition": lambda x: np.piecewise(x, x < 0, [lambda y: y**2, lambda y: y**3]),
    "a stack of systems": lambda x: np.linalg.solve(np.eye(3) + x[:, None, None] * np.ones((3, 3)), np.arange(3.0)),
    "small integers": lambda x: np.arctan2(x, np.array([20], np.int8)) + x / np.array([3], np.float32) ** 0.5,
    "large integers": lambda x: np.arctan2(x, np.array([100000], np.int32)) + np.power(x * x, [0, 1, 2]),
    "in parts": lambda x: parts(x),
    "nothing": lambda x: x * np.prod(x[:0]) + np.sum(x[:0]),
}


def parts(x):
    y = np.zeros_like(x)
    y[0] = x[0] ** 2
    y[1:] = np.sin(x[1:]) * x[0]
    return y * x


@pytest.mark.parametrize("name", SUBTLE)
def test_subtle_functions(name):
    f, x, h = SUBTLE[name], np.array([0.3, -0.7, 1.2]), 1e-4

    def differences(g):
        return np.stack([(g(x + h * e) - g(x - h * e)) / (2 * h) for e in np.eye(3)], axis=-1)

    np.testing.assert_allclose(jacobian(f, x), differences(f), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(hessian(f, x), differences(lambda y: jacobian(f, y)), rtol=1e-6, atol=1e-7)


def test_public_calls_within_each_other():
    assert jvp(lambda x: x * jvp(lambda y: x * y, [2.0], [1.0]), [3.0], [1.0]) == 6
    np.testing.assert_array_equal(
        jacobian(lambda x: gradient(lambda y: np.sum(y**3) * x[0], x), [2.0, 1.0]), [[36, 0], [3, 12]]
    )


def test_arguments_stay_as_they_are():
    x = np.array([1.0, 2.0])

    def f(y):
        y *= 2
        return y

    np.testing.assert_array_equal(jacobian(f, x), [[2, 0], [0, 2]])
    np.testing.assert_array_equal(x, [1, 2])


def test_where_the_value_is_not_known_neither_is_the_derivative():
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(jacobian(lambda x: np.log(x), [-1.0, 2.0]), [[np.nan, np.nan], [0, 0.5]])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x, initial=5.0), lambda x: np.diff(x, prepend=5.0), lambda x: np.sum(x, dtype=int),
        lambda x: np.sum(x, None, int), lambda x: np.linalg.norm(np.outer(x, x), 2, axis=(0, 1)),
        lambda x: np.interp(x, [0, 1], [0, 1], period=2), lambda x: np.real(np.exp(1j * x)),
        lambda x: np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]) * x, lambda x: np.max(np.outer(x, x), keepdims=True),
        lambda x: np.zeros_like(x, dtype=int), lambda x: np.zeros_like(x, shape=(2,)),
    ],
)  # fmt: skip
def test_options_without_a_rule_are_refused(f):
    with pytest.raises(DerivativeError):
        jacobian(f, [0.3, -0.7, 1.2])


def test_wrong_questions_are_answered_with_the_right_one():
    with pytest.raises(OptionError, match="use jacobian"):
        gradient(lambda x: x, [1.0, 2.0])
    with pytest.raises(OptionError, match="not zero"):
        directional_derivative(lambda x: x[0], [1.0, 2.0], [0, 0])
    with pytest.raises(OptionError, match="of x's shape"):
        jvp(lambda x: x[0], [1.0, 2.0], [1, 0, 0])
    with pytest.raises(OptionError, match="numpy, torch, jax"):
        gradient(lambda x: x[0], [1.0], backend="cupy")
    with pytest.raises(OptionError, match="give numbers"):
        gradient(lambda x: x[0], "abc")
    with pytest.raises(OptionError, match="weights"):
        vjp(lambda x: x, [1.0, 2.0], [1, 2, 3])


def test_the_table_lists_what_has_a_rule():
    table = dict(known_functions())
    assert table["numpy.sin"] == table["scipy.special.erf"] == "elementwise"
    assert table["scipy.special.zeta"] == "elementwise, by argument 2 of 2"
    assert table["numpy.linalg.norm"] == "of arrays"
    assert len(table) > 180
