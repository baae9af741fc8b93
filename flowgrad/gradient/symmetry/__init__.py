"""Symmetric flows: gradients in a plane completed about an axis, in a wedge, or in a plane cut from a 3-D flow."""
