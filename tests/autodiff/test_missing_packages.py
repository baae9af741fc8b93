import importlib
import sys

import pytest

from flowgrad.errors import MissingDependencyError


@pytest.mark.parametrize(
    ("package", "module"), [("torch", "torch_backend"), ("torch", "leaves"), ("jax", "jax_backend")]
)
def test_a_missing_package_is_named_with_its_extra(monkeypatch, package, module):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"flowgrad.autodiff.{module}", raising=False)
    with pytest.raises(MissingDependencyError, match=rf"^[^\n]*pip install flowgrad\[{package}\]$"):
        importlib.import_module(f"flowgrad.autodiff.{module}")
