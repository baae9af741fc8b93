"""Numbers and symbols as a reader expects them."""

import math

import pytest

from flowgrad import QUANTITIES
from flowgrad.report.template import count, html, number, percent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (-0.5, "−0.5"),
        (0.1 + 0.2, "0.3"),
        (3.14159, "3.142"),
        (1234.4, "1234"),
        (99999.0, "10⁵"),
        (54321.0, "54\u202f320"),
        (1e-3, "0.001"),
        (1.5e-7, "1.5\u202f×\u202f10⁻⁷"),
        (-2.5e12, "−2.5\u202f×\u202f10¹²"),
        (1e-6, "10⁻⁶"),
        (9.99996, "10"),
        (math.nan, "–"),
        (None, "–"),
        (math.inf, "∞"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_counts_and_shares():
    assert count(1234567) == "1\u202f234\u202f567"
    assert percent(0.1234) == "12.3\u202f%"


@pytest.mark.parametrize(
    ("mathtext", "expected"),
    [
        (r"\dot\gamma", "γ\u0307"),
        (r"\lambda_2", "λ<sub>2</sub>"),
        (r"\nabla\cdot v", "∇·v"),
        (r"\eta_{\infty}", "η<sub>∞</sub>"),
        (r"\tau_{\mathrm{0}}", "τ<sub>0</sub>"),
        (r"|\dot\gamma^2|", "|γ\u0307<sup>2</sup>|"),
        ("II_D", "II<sub>D</sub>"),
        ("a<b", "a&lt;b"),
    ],
)
def test_symbols(mathtext, expected):
    assert html(mathtext) == f'<span class="symbol">{expected}</span>'


def test_no_record_leaves_mathtext_behind():
    for record in QUANTITIES.values():
        assert not set("\\{}^") & set(html(record.symbol))
