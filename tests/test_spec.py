"""Texts of schemes: what stands in brackets, with quotes and without, and what is said of texts that cannot be read."""

import pytest

from flowgrad import OptionError
from flowgrad.gradient import SCHEMES
from flowgrad.spec import parse


def test_a_bare_word_is_the_text_of_a_field_that_takes_one():
    bare = parse("finite-difference(cell_values=averages, order=3)", SCHEMES, "scheme")
    assert bare == parse("finite-difference(cell_values='averages', order=3)", SCHEMES, "scheme")
    assert parse(str(bare), SCHEMES, "scheme") == bare


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("finite-difference(order=two)", r"\(order=two is no value\)"),
        ("finite-difference(order=2+)", r"\(invalid syntax\)"),
        ("finite-difference(2)", "every value needs its key"),
        ("finite-difference(cell_values=average)", "choose one of samples, averages"),
        ("finite-difference(orders=2)", "did you mean 'order'"),
        ("finite-differences", "did you mean 'finite-difference'"),
    ],
)
def test_refusals_name_what_is_wrong(text, said):
    with pytest.raises(OptionError, match=said) as refused:
        parse(text, SCHEMES, "scheme")
    assert "<" not in str(refused.value)
