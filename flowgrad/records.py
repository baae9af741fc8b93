"""Record of a quantity: symbol, dimension, colour scale, reference, and the axis label made of these."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Record:
    """What is said of a quantity wherever it is shown.

    ``symbol`` is matplotlib mathtext, ``dimension`` a product of powers of M, L, T (``1/T``; ``1``
    for none; dynamic ones have a second, ``M/(L T) or L²/T``, of the value divided by the density),
    ``scale`` how its colours run: ``magnitude``, ``signed`` or ``flow-type``, ``words`` what labels call it, the
    name where they are empty.
    """

    name: str
    symbol: str
    dimension: str
    scale: str
    reference: str
    description: str
    words: str = ""

    @property
    def label(self) -> str:
        """Axis label: name, symbol and dimension."""
        return self.label_of(self.symbol)

    def label_of(self, symbol: str) -> str:
        """The label of a part or a magnitude of it, which has the same dimension and a ``symbol`` of its own."""
        return axis_label(self.words or self.name.replace("_", " "), symbol, self.dimension)

    def known(self, *, dynamic: bool) -> Record:
        """The record with the first of its dimensions alone, where a density made values ``dynamic``."""
        return replace(self, dimension=self.dimension.split(" or ")[0]) if dynamic else self


def table(*records: Record) -> dict[str, Record]:
    """Records by their names."""
    return {each.name: each for each in records}


def axis_label(name: str, symbol: str, dimension: str) -> str:
    """``name symbol [dimension]`` as written on the axes of figures."""
    unit = "–" if dimension == "1" else dimension
    return f"{name} ${symbol}$ [{unit}]"
