"""Every comparison passes here, VTK's are left out by name where it is not there, and a difference is seen."""

import numpy as np

from scripts.convergence import peers


def test_all_lines_pass():
    lines = list(peers.lines())
    assert all(passed for _, passed in lines), [line for line, passed in lines if not passed]
    assert len(lines) >= 2 + len(peers._OF_SCIPY) + 1


def test_without_vtk_it_says_so(monkeypatch):
    monkeypatch.setattr(peers, "is_installed", lambda name: False)
    monkeypatch.setattr(peers, "_OF_SCIPY", ())
    (_, _, (line, passed)) = peers.lines()
    assert "VTK is not installed" in line
    assert passed


def test_a_difference_and_what_is_not_known_fail():
    for difference in (0.2, np.nan):
        line, passed = peers._line("this", "that", lambda found=difference: found, 1e-3)
        assert not passed
        assert line.endswith("FAIL")
