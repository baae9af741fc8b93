"""Pictures as small data addresses: PNG with few colours, or WebP where a picture is smooth."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

# Colours of a stored picture: a third of the bytes, and no colour off by more than a few hundredths.
_PALETTE = 96
# Of WebP, where colours go over smoothly: what is lost cannot be seen.
_QUALITY = 75


def small_address(png: bytes) -> str:
    """A PNG as ``data:image/…``, in whichever of the two ways is smaller, transparency kept."""
    from PIL import Image, features

    picture: Any = Image.open(BytesIO(png))
    if picture.mode == "RGBA" and picture.getextrema()[3][0] == 255:
        picture = picture.convert("RGB")
    found = {"png": _quantized(picture)}
    if picture.mode == "RGB" and features.check("webp"):
        found["webp"] = _written(picture, "webp", quality=_QUALITY)
    kind = min(found, key=lambda each: len(found[each]))
    return address(found[kind], kind)


def address(picture: bytes, kind: str = "png") -> str:
    """A picture as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _quantized(picture: Any) -> bytes:
    from PIL import Image

    method = Image.Quantize.FASTOCTREE if picture.mode == "RGBA" else Image.Quantize.MAXCOVERAGE
    return _written(picture.quantize(_PALETTE, method, dither=Image.Dither.NONE), "png", compress_level=7)


def _written(picture: Any, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()
