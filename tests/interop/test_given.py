"""The advice of readers speaks of options of the command line; in Python these are arguments."""

import pytest

from flowgrad import OptionError, ReadError
from flowgrad.interop.convert import as_options


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("say which with --velocity NAME", 'say which with velocity="NAME"'),
        ("name the components with --velocity u,v,w", 'name the components with velocity="u,v,w"'),
        ("is on cells: give --location cells", 'is on cells: give location="cells"'),
        ("positions in mm: give --length-scale 0.001", "positions in mm: give length_scale=0.001"),
        ("check --boundary", "check boundary="),
        ("say --valid 'mask==1' or --valid 'mask==0'", "say valid='mask==1' or valid='mask==0'"),
        ("--y-down is for images", "y_down= is for images"),
        ("a--b is -1 and --2", "a--b is -1 and --2"),
    ],
)
@pytest.mark.parametrize("kind", [ReadError, OptionError])
def test_advice_names_arguments(said, meant, kind):
    with pytest.raises(OptionError) as caught, as_options():
        raise kind(said)
    assert str(caught.value) == meant
