"""Pages that are made from the code are those of this code."""

from scripts import quantities_table


def test_the_table_of_quantities_is_that_of_the_registry():
    assert quantities_table.FILE.read_text() == quantities_table.table(), "run scripts/quantities_table.py"
