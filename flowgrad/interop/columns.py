"""Arrays as the columns of a table, each under a name of its own, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from flowgrad.io.contents import Arrays

_AXES = "xyz"
# A column, or the columns of the components of an array.
Names = dict[str, str | list[str]]


def column_names(arrays: Mapping[str, np.ndarray], first: Sequence[str] = (), others: Sequence[str] = ()) -> Names:
    """The columns of each array, in their order; _ is added where ``others``, an array of ``first`` or one before has
    the name."""
    taken = set(others)
    found: Names = {}
    for name in (*first, *(each for each in arrays if each not in first)):
        found[name] = _own(name, arrays[name].shape[1:])
        while not taken.isdisjoint(_listed(found[name])):
            found[name] = _longer(found[name])
        taken.update(_listed(found[name]))
    return {name: found[name] for name in arrays}


def in_columns_of(arrays: Mapping[str, np.ndarray], names: Names) -> Arrays:
    """The columns (n,) of arrays (n, …) by their names."""
    result: Arrays = {}
    for name, values in arrays.items():
        listed = _listed(names[name])
        result.update(zip(listed, values.reshape(len(values), len(listed)).T, strict=True))
    return result


def joined(columns: Mapping[str, np.ndarray], names: Names, count: int) -> tuple[Arrays, Arrays]:
    """The arrays (n,) or (n, k) of which all columns are there, and the other columns."""
    rest = dict(columns)
    whole = {name: each for name, each in names.items() if all(column in columns for column in _listed(each))}
    arrays: Arrays = {}
    for name, each in whole.items():
        parts = [columns[column] for column in _listed(each)]
        arrays[name] = parts[0] if isinstance(each, str) else np.column_stack(parts) if parts else np.empty((count, 0))
        for column in _listed(each):
            rest.pop(column, None)
    return arrays, rest


def _own(name: str, shape: tuple[int, ...]) -> str | list[str]:
    """``name``, ``name_x`` … for vectors, ``name_xx`` … for tensors, a number for other components."""
    if not shape:
        return name
    count = int(np.prod(shape))
    suffixes = {3: list(_AXES), 9: [a + b for a in _AXES for b in _AXES]}.get(count, [str(n) for n in range(count)])
    return [f"{name}_{suffix}" for suffix in suffixes] if count != 1 else [name]


def _longer(names: str | list[str]) -> str | list[str]:
    return names + "_" if isinstance(names, str) else [name + "_" for name in names]


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names
