"""Out-of-core analysis: files larger than the memory that is given to them, a part at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowgrad.errors import ReadError
from flowgrad.files import size_of
from flowgrad.io.slabs import SLAB_SUFFIXES, open_slabs
from flowgrad.pipeline.options import Options
from flowgrad.pipeline.out_of_core.lattice import write_lattice
from flowgrad.pipeline.out_of_core.piece_files import PieceFiles
from flowgrad.pipeline.out_of_core.pieces import write_pieces
from flowgrad.pipeline.out_of_core.result import PartsResult, advice
from flowgrad.pipeline.summary import digest_of

log = logging.getLogger("flowgrad")

# A file may expand to so many times its size, and no further: the readers see to that.
_LARGEST_RATIO = 8192


# Files that have parts.
SUFFIXES = (".pvtu", *SLAB_SUFFIXES)


@dataclass(frozen=True, eq=False)
class BlocksResult:
    """What is known of a file that was done in parts: the ``summary`` as JSON types, and the input's SHA-256."""

    summary: dict[str, Any]
    digest: str


def run_in_blocks(path: Path, target: Path, options: Options) -> BlocksResult | None:
    """Differentiate the flow in a file part by part and write its quantities beside ``target``: a lattice in slabs, a
    mesh in several files a piece at a time. None for a file that is taken as a whole: whose arrays take no more than
    ``options.block_memory``, or of a format that has no parts.

    Raises ReadError for a file that cannot be read in parts, OptionError for options that need the whole of it.
    """
    if options.formula is not None or not path.is_file():
        return None
    budget = size_of(options.block_memory, "--block-memory")
    if path.suffix.lower() == ".pvtu":
        pieces = PieceFiles.of(path)
        return None if pieces.size <= budget else _done(path, options, lambda: write_pieces(pieces, target, options))
    opened = None if path.stat().st_size * _LARGEST_RATIO < budget else open_slabs(path, options.time)
    if opened is None:
        return None
    with opened as file:
        if file.size <= budget:
            return None
        if file.refusal:
            raise ReadError(f"{path}: {file.refusal}; else {advice(file.size)}")
        return _done(path, options, lambda: write_lattice(file, target, options))


def _done(path: Path, options: Options, work: Callable[[], PartsResult]) -> BlocksResult:
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(digest_of, path)
        result = work()
        log.info("%s: %s", path, result.said)
        return BlocksResult(result.summary(path, options, digest.result()), digest.result())
