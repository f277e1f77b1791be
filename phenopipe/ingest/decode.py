"""Decode picture files to RGB."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from phenopipe.config import IngestSettings
from phenopipe.crop_table import GONE
from phenopipe.errors import PassingError, UnreadableImageError
from phenopipe.files import PASSING

_FORMATS = ("JPEG", "PNG", "TIFF")
_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANAR_CONFIGURATION = 258, 262, 284
_WHITE_IS_ZERO = 0
#: Pictures above this are decoded one at a time: decoding takes up to 17 bytes a pixel for a while.
LARGE_MEGAPIXELS = 50.0
_pillow, _one_large_picture = Lock(), Lock()


def decode_image(path: str | os.PathLike[str], settings: IngestSettings) -> NDArray[np.uint8]:
    """Decode a JPEG, PNG or TIFF file.

    Samples of 16 bits keep their high byte, which maps the full range 0..65535 to 0..255; grey
    becomes three equal channels; transparent pixels are laid on black; a rotation in the EXIF
    data is applied; of several pages the first is taken. Colour profiles are ignored.

    Parameters
    ----------
    path : path-like
        The file.
    settings : IngestSettings
        ``min_side_px`` and ``max_megapixels``, checked before anything is decoded.

    Returns
    -------
    ndarray, (H, W, 3), uint8
        RGB, upright.

    Raises
    ------
    PassingError
        If the file cannot be read for now, as while a server is away: that says nothing of it.
    UnreadableImageError
        If the file is gone, empty, truncated, no picture, too small or too large, or has samples
        of 32 bits or 16-bit colours plane by plane. The message is the reason alone, in one line,
        without the path.
    """
    try:
        with Path(path).open("rb") as file:
            image = open_picture(file)
            _check_header(image, settings)
            large = image.width * image.height > LARGE_MEGAPIXELS * 1e6
            with _one_large_picture if large else nullcontext():
                return _to_rgb(_load(image))
    except (UnreadableImageError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise UnreadableImageError(GONE) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(_not_identified(Path(path))) from error
    except Exception as error:  # decoders raise nearly anything on damaged data
        if isinstance(error, OSError) and error.errno in PASSING:
            raise PassingError(f"{path}: cannot be read for now ({error.strerror})") from error
        raise UnreadableImageError(_reason(error)) from error


def open_picture(file: Path | IO[bytes], formats: Sequence[str] = _FORMATS) -> Image.Image:
    """Read a picture's header without Pillow's fixed limit; whoever decodes it checks its size.

    Parameters
    ----------
    file : Path or file
        The file.
    formats : sequence of str
        Pillow's names of the formats that it may have.

    Returns
    -------
    Image
        The picture, not yet decoded.
    """
    with _pillow:  # the limit is one for all threads
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return Image.open(file, formats=tuple(formats))
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _check_header(image: Image.Image, settings: IngestSettings) -> None:
    width, height = image.size
    if min(width, height) < settings.min_side_px:
        raise UnreadableImageError(
            f"{width}x{height} px: smaller than min_side_px ({settings.min_side_px})"
        )
    if width * height > settings.max_megapixels * 1e6:
        raise UnreadableImageError(
            f"{width}x{height} px: larger than max_megapixels ({settings.max_megapixels:g})"
        )
    if image.mode in ("I", "F"):
        raise UnreadableImageError("has 32-bit or signed samples: save it with 8 or 16 bits")
    if _has_deep_planes(image):  # Pillow and OpenCV would both read wrong colours, and say nothing
        raise UnreadableImageError(
            "has 16-bit colours in separate planes: save it with interleaved colours"
        )


def _load(image: Image.Image) -> Image.Image:
    """Decode, turn upright, and bring samples to 8 bits."""
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        tags = getattr(image, "tag_v2", {})
        shift = max(tags.get(_BITS_PER_SAMPLE, (16,))) - 8
        grey = (np.array(upright).astype(np.uint16) >> shift).astype(np.uint8)
        if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:  # which Pillow heeds up to 8 bits
            grey = 255 - grey
        return Image.fromarray(grey)
    return upright


def _has_deep_planes(image: Image.Image) -> bool:
    """Tell whether a TIFF holds 16-bit colours plane by plane."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(_PLANAR_CONFIGURATION) == 2 and max(tags.get(_BITS_PER_SAMPLE, (8,))) > 8


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA"))
    return np.array(image.convert("RGB"), dtype=np.uint8)


def _not_identified(path: Path) -> str:
    size = path.stat().st_size
    return "not a JPEG, PNG or TIFF picture" if size else "file is empty (0 bytes)"


def _reason(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"cannot be decoded ({' '.join(text.split()) or type(error).__name__})"
