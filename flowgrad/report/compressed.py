"""Pictures as small data addresses: WebP, or PNG with few colours where something is transparent."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What WebP loses at this quality cannot be seen.
_QUALITY = 60
# Colours of a stored PNG: a third of the bytes, and no colour off by more than a few hundredths.
_PALETTE = 96


def small_address(pixels: NDArray[np.uint8]) -> str:
    """Colours (height, width, 3 or 4) as ``data:image/…``, transparency kept."""
    from PIL import Image, features

    picture: Any = Image.fromarray(pixels)
    if picture.mode == "RGB" and features.check("webp"):
        return address(_written(picture, "webp", quality=_QUALITY), "webp")
    method = Image.Quantize.FASTOCTREE if picture.mode == "RGBA" else Image.Quantize.MAXCOVERAGE
    few = picture.quantize(_PALETTE, method, dither=Image.Dither.NONE)
    return address(_written(few, "png", compress_level=7))


def address(picture: bytes, kind: str = "png") -> str:
    """A picture as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _written(picture: Any, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()
