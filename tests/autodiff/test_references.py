import functools
from shutil import copy
from types import ModuleType

import pytest
import scipy.special

from flowgrad.autodiff.backends import uses


class Model:
    def __init__(self, part):
        self.part = part

    def __call__(self, x):
        return self.part(x)

    def velocity(self, x):
        return self.part(x)


def special(x):
    return scipy.special.erf(x)


def with_import(x):
    import scipy.special

    return scipy.special.erf(x)


SEEN = {
    "itself": special,
    "called": lambda x: special(x),
    "in a comprehension": lambda x: [special(y) for y in x],
    "partial": functools.partial(special),
    "wrapped": functools.wraps(special)(lambda x: x),
    "default": lambda x, f=special: f(x),
    "object": Model(special),
    "method": Model([special]).velocity,
}


@pytest.mark.parametrize("name", SEEN)
def test_packages_are_seen_through_what_a_function_calls_and_holds(name):
    assert uses(SEEN[name], "scipy")
    assert not uses(SEEN[name], "torch", "jax", "jaxlib")


def test_closures_are_seen():
    held = special
    assert uses(lambda x: held(x), "scipy")


def test_imports_inside_a_function_count():
    assert uses(with_import, "scipy")


def test_functions_of_the_users_modules_are_looked_into():
    module = ModuleType("fields_of_mine")
    module.special = special
    assert uses(lambda x: module.special(x), "scipy")
    assert not uses(lambda x: module.other(x), "scipy")


def test_what_a_library_calls_itself_is_not_looked_into():
    """SciPy's functions, say, ask for the packages of their arguments."""
    assert uses(copy, "os")
    assert not uses(lambda x: copy(x, x), "os")


def test_cycles_and_unfilled_cells_end():
    def f(x):
        return g(x)

    def g(x):
        return f(x)

    assert not uses(f, "torch")
    holder: list = []
    holder.append(holder)
    assert not uses(lambda x: holder, "torch")
