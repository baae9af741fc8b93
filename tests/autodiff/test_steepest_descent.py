import re

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed (flowgrad[torch])")

import torch

from scripts import steepest_descent


def test_the_example_finds_the_largest_shear_rate_and_says_what_it_shows(capsys):
    steepest_descent.main()
    said = capsys.readouterr().out
    assert "largest shear rate 2.000000000000 at [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]" in said
    assert "x: requires_grad True, is_leaf True, grad_fn None" in said
    assert "rates: requires_grad True, is_leaf False, grad_fn SqrtBackward0" in said
    refusals = re.findall(r"refused: (.*)", said)
    reasons = ["give weights", "freed", "not a leaf", "in-place operation", "changed in place"]
    assert all(reason in refusal for reason, refusal in zip(reasons, refusals, strict=True))


def test_descent_leaves_a_leaf_and_goes_down():
    x = torch.tensor([[0.4, 0.3]], dtype=torch.float64, requires_grad=True)
    before = steepest_descent.shear_rates(x).item()
    steepest_descent.descend(x)
    assert x.is_leaf
    assert before < steepest_descent.shear_rates(x).item() == pytest.approx(2, abs=1e-15)


def test_the_shear_rate_is_the_closed_form():
    x = 6 * torch.rand(20, 2, dtype=torch.float64)
    expected = 2 * (x[:, 0].cos() * x[:, 1].cos()).abs()
    torch.testing.assert_close(steepest_descent.shear_rates(x), expected, rtol=1e-12, atol=1e-14)
