"""Smoothing fits to noisy samples: order and window chosen place by place."""
