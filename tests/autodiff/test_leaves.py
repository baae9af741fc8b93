import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed (flowgrad[torch])")

import torch

from flowgrad import DerivativeError, OptionError
from flowgrad.autodiff import backward


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def refusal(output, *leaves, **options):
    with pytest.raises(OptionError) as caught:
        backward(output, *leaves, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_gradients_are_returned_and_kept_in_the_leaves():
    x, y = leaf(1.0, 2.0), leaf(3.0)
    gradients = backward((x**2 * y).sum(), x, y)
    np.testing.assert_array_equal(gradients[0], [6.0, 12.0])
    np.testing.assert_array_equal(gradients[1], [5.0])
    assert x.grad is gradients[0]
    assert y.grad is gradients[1]


def test_a_second_pass_replaces_the_gradient():
    x = leaf(1.0, 2.0)
    for _ in range(2):
        backward((x**2).sum(), x)
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_weights_are_those_of_the_sum():
    x = leaf(1.0, 2.0, 3.0)
    np.testing.assert_array_equal(backward(x**2, x, weights=[1.0, 0.0, -2.0])[0], [2.0, 0.0, -12.0])


def test_the_graph_can_be_kept():
    x = leaf(1.0, 2.0)
    total = (x**2).sum()
    backward(total, x, retain_graph=True)
    backward(total, x)
    message = refusal(total, x)
    assert "freed" in message
    assert "retain_graph=True" in message


def test_a_tensor_without_requires_grad():
    x, y = torch.ones(3), leaf(1.0)
    assert "leaf 2 (shape (3,), torch.float32) has requires_grad=False" in refusal((x * y).sum(), y, x)
    assert "requires_grad_()" in refusal((x * y).sum(), x)


def test_an_output_that_recorded_nothing():
    x = leaf(1.0, 2.0)
    with torch.no_grad():
        output = (x**2).sum()
    for each in (output, (x**2).sum().detach(), torch.ones(1)):
        assert "no grad_fn" in refusal(each, x)
    assert "output is a float" in refusal((x**2).sum().item(), x)


def test_a_result_is_no_leaf_unless_its_gradient_is_retained():
    x = leaf(1.0, 2.0)
    y = x * 3
    message = refusal((y**2).sum(), y)
    assert "MulBackward" in message
    assert "retain_grad()" in message
    assert "torch.no_grad()" in message
    y.retain_grad()
    np.testing.assert_array_equal(backward((y**2).sum(), y)[0], [6.0, 12.0])
    np.testing.assert_array_equal(y.grad, [6.0, 12.0])


def test_a_vector_needs_weights_of_its_shape():
    x = leaf(1.0, 2.0)
    message = refusal(x**2, x)
    assert "2 elements (shape (2,), torch.float64)" in message
    assert "torch.ones_like(output)" in message
    assert "(3,): give the output's, (2,)" in refusal(x**2, x, weights=np.ones(3))


@pytest.mark.parametrize("square", [lambda x: x**2, lambda x: x[:1] ** 2, lambda x: x.reshape(1, 2) ** 2])
def test_a_leaf_changed_in_place(square):
    x, y = leaf(1.0, 2.0), leaf(4.0)
    total = square(x).sum() * y
    with torch.no_grad():
        x += 1
    message = refusal(total, y, x)
    assert message.startswith("leaf 2 (shape (2,), torch.float64) was changed in place")
    assert "version 1 instead of 0" in message
    np.testing.assert_array_equal(backward(square(x).sum() * y, y)[0], square(x).sum().detach().numpy())


def test_a_result_changed_in_place():
    x = leaf(1.0, 2.0)
    root = x.sqrt()
    total = root.sum()
    with torch.no_grad():
        root += 1
    assert "a tensor between the leaves and the output was changed" in refusal(total, x)


def test_an_output_that_does_not_depend_on_a_leaf():
    x, y = leaf(1.0), leaf(2.0)
    assert "does not depend on leaf 2 (shape (1,), torch.float64)" in refusal(x * 2, x, y)
    assert x.grad is None


def test_no_leaf_and_no_tensor():
    x = leaf(1.0)
    assert "name the tensors" in refusal(x * 2)
    assert "leaf 1 is a ndarray" in refusal(x * 2, np.ones(1))


def test_other_refusals_of_pytorch_are_passed_on():
    @torch.autograd.function.once_differentiable
    def backward_rule(ctx, weights):
        raise RuntimeError("no rule. And more")

    function = type(
        "Broken",
        (torch.autograd.Function,),
        {
            "forward": staticmethod(lambda ctx, x: x.clone()),
            "backward": staticmethod(backward_rule),
        },
    )
    x = leaf(1.0)
    with pytest.raises(DerivativeError, match="no rule: look at its grad_fn"):
        backward(function.apply(x), x)
