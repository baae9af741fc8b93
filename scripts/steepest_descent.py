#!/usr/bin/env python3
"""Where is the shear rate of a flow largest? Steepest descent with PyTorch, and what its tensors need for it.

Usage: scripts/steepest_descent.py   (needs the extra flowgrad[torch])

The flow is a plane vortex row, v = (sin x cos y, −cos x sin y). Its shear rate √(2 D:D) = 2 |cos x cos y| has the
largest value 2 at (0, 0); descent is on its negative.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flowgrad.autodiff import backward
from flowgrad.errors import OptionError

START = [[0.9, -0.4], [-0.3, 0.8], [0.6, 0.7]]
STEP, STEPS = 0.2, 60


def velocity(x: torch.Tensor) -> torch.Tensor:
    """Of the vortices at points (…, 2)."""
    along, across = x[..., 0], x[..., 1]
    return torch.stack([along.sin() * across.cos(), -along.cos() * across.sin()], dim=-1)


def shear_rates(x: torch.Tensor) -> torch.Tensor:
    """√(2 D:D) (m,) at points (m, 2); D is the symmetric part of ∂v_i/∂x_j, which vmap and jacfwd give."""
    L = torch.func.vmap(torch.func.jacfwd(velocity))(x)
    D = (L + L.mT) / 2
    return (2 * D * D).sum(dim=(-2, -1)).sqrt()


def show(name: str, tensor: torch.Tensor) -> None:
    """What PyTorch knows of a tensor."""
    print(f"{name}: requires_grad {tensor.requires_grad}, is_leaf {tensor.is_leaf}, grad_fn {function(tensor)}")


def function(tensor: torch.Tensor) -> str:
    """Name of the operation that made a tensor."""
    return tensor.grad_fn.name() if tensor.grad_fn is not None else "None"


def descend(x: torch.Tensor) -> None:
    """Steps along minus the gradient of minus the shear rate, each point for itself."""
    for step in range(STEPS + 1):
        loss = -shear_rates(x)
        backward(loss, x, weights=torch.ones_like(loss))
        if step % 20 == 0:
            print(f"step {step:2}: shear rates {rounded(-loss)}, largest |grad| {x.grad.abs().max():.1e}")
        with torch.no_grad():
            x -= STEP * x.grad


def rounded(tensor: torch.Tensor) -> list[float]:
    """Values to six digits, of a tensor out of the graph."""
    return [round(value, 6) for value in tensor.detach().tolist()]


def refused(output: torch.Tensor, leaf: torch.Tensor, weights: torch.Tensor | None = None) -> None:
    """What flowgrad's checked backward pass says of a mistake."""
    try:
        backward(output, leaf, weights=weights)
    except OptionError as problem:
        print(f"  refused: {problem}")


def show_tensors(x: torch.Tensor) -> None:
    """The leaf, what is computed from it, and the gradient."""
    print("1. The points are a leaf: made by the user, with requires_grad, so that its gradient is kept.")
    show("   x", x)
    print(f"   x.data {x.data.tolist()}, x.grad {x.grad}")
    rates = shear_rates(x)
    print("2. The shear rates are computed from it; grad_fn is the last operation of their graph.")
    show("   rates", rates)
    print("3. There are several, and a gradient is of one number: backward takes weights for their sum.")
    refused(rates, x)
    rates.backward(torch.ones_like(rates), retain_graph=True)
    print(f"   rates.backward(ones): x.grad {[[round(value, 4) for value in row] for row in x.grad.tolist()]}")
    rates.backward(torch.tensor([1.0, 0.0, 0.0], dtype=rates.dtype))
    print(f"   rates.backward([1, 0, 0]) adds the first point's: {[round(value, 4) for value in x.grad[0].tolist()]}")
    print("4. The graph is freed by that pass.")
    refused(rates, x, torch.ones_like(rates))


def show_updates(x: torch.Tensor) -> None:
    """Three ways to move the points, of which one is right."""
    print("5. x = x + step makes a new tensor, which is no leaf.")
    moved = x + 0.1
    show("   moved", moved)
    refused(shear_rates(moved).sum(), moved)
    print("6. x += step outside torch.no_grad() is refused by PyTorch.")
    try:
        x += 0.1
    except RuntimeError as problem:
        print(f"  refused: {problem}")
    print("7. Changed between the output and backward, the values no longer fit the graph.")
    total = shear_rates(x).sum()
    with torch.no_grad():
        x += 0.1
    refused(total, x)
    print("8. Under torch.no_grad(), after backward, the values change and the tensor stays a leaf.")
    show("   x", x)


def main() -> None:
    """Show the tensors, then find the largest shear rate from three points."""
    x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    show_tensors(x)
    show_updates(x)
    print("Steepest descent on minus the shear rate:")
    descend(x)
    best = shear_rates(x.detach()).max()
    print(f"largest shear rate {best:.12f} at {[[round(value, 6) + 0.0 for value in row] for row in x.tolist()]}")


if __name__ == "__main__":
    main()
