import importlib
import sys

import pytest

from flowgrad.errors import MissingDependencyError


@pytest.mark.parametrize("package", ["torch", "jax"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"flowgrad.autodiff.{package}_backend", raising=False)
    with pytest.raises(MissingDependencyError, match=rf"^[^\n]*pip install flowgrad\[{package}\]$"):
        importlib.import_module(f"flowgrad.autodiff.{package}_backend")
