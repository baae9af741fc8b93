"""Compiled search of neighbourhoods: rings around each target on a graph of samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel

# A neighbourhood is one-sided where m·S⁻¹m, of its mean m and second moments S about the target, is above
# this: 0.7 for a half ball, 0 for whatever lies evenly around.
_ONE_SIDED = 0.3


@kernel()
def cells_of_points(offsets: Any, connectivity: Any, cells: Any, point_count: int) -> Any:
    """Which of the given cells have each point: offsets (n + 1,) and cell numbers."""
    start = np.zeros(point_count + 1, np.int64)
    for c in cells:
        for j in range(offsets[c], offsets[c + 1]):
            start[connectivity[j] + 1] += 1
    for p in range(point_count):
        start[p + 1] += start[p]
    found = np.empty(start[-1], np.int64)
    following = start.copy()
    for c in cells:
        for j in range(offsets[c], offsets[c + 1]):
            p = connectivity[j]
            found[following[p]] = c
            following[p] += 1
    return start, found


@kernel(parallel=True)
def points_sharing_cells(offsets: Any, connectivity: Any, start: Any, cells: Any, blocks: int) -> Any:
    """The other points of the cells around each point, lowest cell first: offsets (n + 1,) and points."""
    n = len(start) - 1
    sizes = np.zeros(n + 1, np.int64)
    for block in prange(blocks):
        seen = np.full(n, -1, np.int32)
        for p in range(block * n // blocks, (block + 1) * n // blocks):
            sizes[p + 1] = _others(offsets, connectivity, cells[start[p] : start[p + 1]], p, seen, connectivity, -1)
    for p in range(n):
        sizes[p + 1] += sizes[p]
    found = np.empty(sizes[-1], np.int64)
    for block in prange(blocks):
        seen = np.full(n, -1, np.int32)
        for p in range(block * n // blocks, (block + 1) * n // blocks):
            _others(offsets, connectivity, cells[start[p] : start[p + 1]], p, seen, found, sizes[p])
    return sizes, found


@called
def _others(offsets: Any, connectivity: Any, around: Any, p: int, seen: Any, found: Any, at: int) -> int:
    """Count the other points of the cells around ``p``, and put them into ``found`` from ``at`` if that is
    not −1."""
    count = 0
    seen[p] = p
    for c in around:
        for j in range(offsets[c], offsets[c + 1]):
            other = connectivity[j]
            if seen[other] != p:
                seen[other] = p
                if at >= 0:
                    found[at + count] = other
                count += 1
    return count


@called
def _is_one_sided(positions: Any, target: Any, found: Any, count: int, usable: Any) -> bool:
    m0, m1, m2, a, b, c, d, e, f, n = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0
    for j in range(count):
        s = found[j]
        if usable[s]:
            x, y, z = positions[s, 0] - target[0], positions[s, 1] - target[1], positions[s, 2] - target[2]
            m0, m1, m2, n = m0 + x, m1 + y, m2 + z, n + 1
            a, b, c = a + x * x, b + y * y, c + z * z
            d, e, f = d + x * y, e + y * z, f + x * z
    # A little is added to the diagonal, so that missing directions do not count.
    more = 1e-9 * (a + b + c)
    a, b, c = a + more, b + more, c + more
    A, B, C = b * c - e * e, a * c - f * f, a * b - d * d
    D, E, F = e * f - d * c, d * f - a * e, d * e - b * f
    quadratic = A * m0 * m0 + B * m1 * m1 + C * m2 * m2 + 2 * (D * m0 * m1 + E * m1 * m2 + F * m0 * m2)
    return quadratic > _ONE_SIDED * n * (a * A + d * D + f * F)


@called
def _grow(
    offsets: Any,
    neighbours: Any,
    seeds: Any,
    own: int,
    stamp: int,
    positions: Any,
    target: Any,
    usable: Any,
    need: int,
    need_one_sided: int,
    seen: Any,
    found: Any,
) -> int:
    """Ring after ring around the seeds into ``found`` until there are enough usable samples; how many
    nodes were found."""
    count, enough = 0, 0
    for s in seeds:
        if seen[s] != stamp and s != own:
            seen[s] = stamp
            found[count] = s
            count += 1
            enough += usable[s]
    ring = 0
    if own >= 0:
        seen[own] = stamp
        for j in range(offsets[own], offsets[own + 1]):
            s = neighbours[j]
            if seen[s] != stamp:
                seen[s] = stamp
                found[count] = s
                count += 1
                enough += usable[s]
    while True:
        if enough >= need_one_sided:
            break
        if enough >= need and not _is_one_sided(positions, target, found, count, usable):
            break
        last = count
        for i in range(ring, last):
            p = found[i]
            for j in range(offsets[p], offsets[p + 1]):
                s = neighbours[j]
                if seen[s] != stamp and count < len(found):
                    seen[s] = stamp
                    found[count] = s
                    count += 1
                    enough += usable[s]
        if count == last:
            break
        ring = last
    return count


@kernel()
def symmetric_graph(pairs: Any, n: int) -> Any:
    """The neighbours of each of n nodes from unordered pairs (k, 2): offsets (n + 1,) and nodes."""
    start = np.zeros(n + 1, np.int64)
    for i in range(len(pairs)):
        start[pairs[i, 0] + 1] += 1
        start[pairs[i, 1] + 1] += 1
    for p in range(n):
        start[p + 1] += start[p]
    found, following = np.empty(start[-1], np.int64), start.copy()
    for i in range(len(pairs)):
        a, b = pairs[i, 0], pairs[i, 1]
        found[following[a]], found[following[b]] = b, a
        following[a] += 1
        following[b] += 1
    return start, found


@kernel()
def neighbourhoods(
    offsets: Any,
    neighbours: Any,
    seed_start: Any,
    seeds: Any,
    own: Any,
    positions: Any,
    targets: Any,
    usable: Any,
    need: int,
    need_one_sided: int,
    seen: Any,
    found: Any,
    stamp: int,
    pool: Any,
) -> Any:
    """Samples around each target (m, 3): their numbers one after another in ``pool``, and the offsets
    (m + 1,) into it; of samples beyond the room of the pool only the number is right.

    Rings on the graph ``offsets``, ``neighbours`` grow from the sample ``own[i]``, itself left out, or
    where that is −1 from the seeds, until they hold ``need`` usable samples, or ``need_one_sided`` where
    these lie on one side. ``seen`` and ``found`` (n,) are room to work in; no number of ``seen`` may be
    from ``stamp`` to ``stamp + m``.
    """
    start = np.zeros(len(targets) + 1, np.int64)
    for i in range(len(targets)):
        count = _grow(
            offsets,
            neighbours,
            seeds[seed_start[i] : seed_start[i + 1]],
            own[i],
            stamp + i,
            positions,
            targets[i],
            usable,
            need,
            need_one_sided,
            seen,
            found,
        )
        at = start[i]
        for j in range(count):
            if usable[found[j]]:
                if at < len(pool):
                    pool[at] = found[j]
                at += 1
        start[i + 1] = at
    return start
