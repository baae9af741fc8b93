"""Shared by all tests: where the data lie."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The project's own flows."""
    return Path(__file__).parent.parent / "data"
