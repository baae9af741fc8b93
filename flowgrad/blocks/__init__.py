"""Files larger than the memory that is given to them, a part at a time."""

from flowgrad.blocks.run import run_in_blocks

__all__ = ["run_in_blocks"]
