#!/usr/bin/env python3
"""The table of all quantities, docs/quantities.md, from their records."""

from __future__ import annotations

from pathlib import Path

from flowgrad.kinematics import QUANTITIES

FILE = Path(__file__).resolve().parent.parent / "docs" / "quantities.md"

_HEAD = """# Quantities

What `gradient["NAME"]` and `--quantities NAME,…` give; made from the records of the registry by
`scripts/quantities_table.py`. M, L and T in the dimensions are mass, length and time.

| name | symbol | dimension | definition | reference |
|---|---|---|---|---|
"""


def table() -> str:
    """The page as Markdown."""
    rows = []
    for each in QUANTITIES.values():
        symbol, meaning = each.symbol.replace("|", r"\vert "), each.description.replace("|", r"\|")
        rows.append(f"| `{each.name}` | ${symbol}$ | {each.dimension} | {meaning} | {each.reference} |")
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    FILE.write_text(table())
