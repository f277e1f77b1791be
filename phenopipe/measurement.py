"""One picture in, its leaves out: the whole pipeline in memory, for a notebook."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.config import (
    CameraSettings,
    IngestSettings,
    PotLayout,
    PredictSettings,
    QualitySettings,
    SegmentSettings,
    check_block,
)
from phenopipe.crop_table import CropRow
from phenopipe.errors import InputError, UnreadableImageError
from phenopipe.ingest import Crop, cut_pots, decode_image, unreadable_pots
from phenopipe.model.find import file_sha256, find_weights
from phenopipe.plan import RosterRow
from phenopipe.predict import Batch, Network, look
from phenopipe.segment import PredictedCrop, empty_measurements, segment_crop
from phenopipe.tabulate import Provenance, join_pots, leaf_rows, plant_rows
from phenopipe.window import Window

ImageLike = str | os.PathLike[str] | NDArray[np.uint8]


@dataclass(frozen=True)
class Measurement:
    """What was found in one image.

    Attributes
    ----------
    labels : ndarray, (H, W), uint32
        Label map of the upright image's own size: 0 is background, 1..K are leaves, numbered on
        from pot to pot, as `leaf_id` in `leaves`. Where boxes of pots overlap, the later pot's
        leaves lie on top.
    plants : DataFrame
        One row per pot, the columns of ``plants.csv``.
    leaves : DataFrame
        One row per leaf, the columns of ``leaves.csv``.
    """

    labels: NDArray[np.uint32]
    plants: pd.DataFrame
    leaves: pd.DataFrame


@dataclass(frozen=True)
class Measurer:
    """A model and settings, to measure many images with.

    Attributes
    ----------
    network : Network
        The model, ready.
    ingest : IngestSettings
        Crop size, limits, pots and scale.
    segment : SegmentSettings
        Seeds and clustering.
    quality : QualitySettings
        Limits for flags.
    provenance : Provenance
        What is written into the tables.
    """

    network: Network
    ingest: IngestSettings
    segment: SegmentSettings
    quality: QualitySettings
    provenance: Provenance

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] = "default",
        *,
        pots: PotLayout | None = None,
        mm_per_px: float | None = None,
        crop_size: int | None = None,
        segment: SegmentSettings | None = None,
        quality: QualitySettings | None = None,
        predict: PredictSettings | None = None,
    ) -> Measurer:
        """Load a model; parameters and errors as for :func:`measure`."""
        camera = check_block(CameraSettings, {"mm_per_px": mm_per_px, "pots": pots}, "measure")
        size = {} if crop_size is None else {"crop_size": crop_size}
        ingest = check_block(IngestSettings, {"cameras": {"default": camera}, **size}, "measure")
        weights = find_weights(model)
        return cls(
            Network(weights, predict),
            ingest,
            segment or SegmentSettings(),
            quality or QualitySettings(),
            Provenance("measure", Path(model).stem, file_sha256(weights)),
        )

    def measure(
        self, image: ImageLike, name: str | None = None, plant: str | None = None
    ) -> Measurement:
        """Measure one image; see :func:`measure`.

        Parameters
        ----------
        image : path-like or ndarray, (H, W, 3), uint8
            A picture file, or RGB pixels.
        name : str, optional
            Name of the image in the tables; by default its path, or "image".
        plant : str, optional
            What ``plant_id`` begins with; "-" and the pot follow. By default the stem of `name`.

        Raises
        ------
        InputError
            If pixels are of another shape or type.
        UnreadableImageError
            If the file cannot be decoded.
        """
        if not isinstance(image, str | os.PathLike | np.ndarray):
            kind = type(image).__name__
            raise InputError(f"image: is a {kind}; give a path, or (H, W, 3) uint8 RGB pixels")
        if isinstance(image, np.ndarray):
            rgb, row = _check_pixels(image), RosterRow(name or "image")
        else:
            rgb, row = self._decode(image), RosterRow(name or os.fspath(image))
        pots = list(cut_pots(rgb, row, self.ingest))
        return self._measure_pots(row, pots, rgb.shape[:2], plant)

    def unreadable(self, name: str, reason: str, plant: str | None = None) -> Measurement:
        """Return the rows that stand for an image that cannot be read, and an empty label map."""
        row = RosterRow(name)
        return self._measure_pots(
            row, list(unreadable_pots(row, self.ingest, reason)), (0, 0), plant
        )

    def _decode(self, path: str | os.PathLike[str]) -> NDArray[np.uint8]:
        try:
            return decode_image(path, self.ingest)
        except UnreadableImageError as error:
            raise UnreadableImageError(f"{path}: {error}") from error

    def _measure_pots(
        self,
        row: RosterRow,
        pots: Sequence[tuple[CropRow, Crop | None]],
        shape: tuple[int, int],
        plant: str | None,
    ) -> Measurement:
        labels = np.zeros(shape, np.uint32)
        measured = [empty_measurements()]
        cut = [(crop_row, crop) for crop_row, crop in pots if crop is not None]
        leaves = 0
        for (crop_row, crop), found in zip(cut, self._segment(cut), strict=True):
            pot_labels, window, traits = found
            _paste(labels, pot_labels, crop, window, leaves)
            is_leaf = traits["label"] > 0
            traits.loc[is_leaf, "label"] += leaves
            leaves += int(is_leaf.sum())
            measured.append(traits.assign(crop_id=crop_row.crop_id, status="ok", reason=""))
        known = _known([crop_row for crop_row, _ in pots], plant or Path(row.image).stem)
        table = pd.concat(measured, ignore_index=True)
        plants = plant_rows(known, table, quality=self.quality, provenance=self.provenance)
        return Measurement(labels, plants, leaf_rows(known, table))

    def _segment(
        self, cut: Sequence[tuple[CropRow, Crop]]
    ) -> Iterator[tuple[NDArray[np.uint32], Window, pd.DataFrame]]:
        """Predict and segment, through the stored encoding, so that rows equal the pipeline's."""
        step = self.network.batch_size
        for start in range(0, len(cut), step):
            crops = [crop for _, crop in cut[start : start + step]]
            pixels = np.stack([crop.rgb for crop in crops])
            size = self.network.settings.network_size
            batch = Batch.make(pixels, size, [crop.valid for crop in crops])
            seen = look(self.network, batch)
            found = zip(crops, seen.distance, seen.embedding, seen.windows, strict=True)
            for crop, distance, embedding, window in found:
                predicted = PredictedCrop(
                    crop.rgb, distance, embedding, window, crop.transform, crop.valid
                )
                labels, traits = segment_crop(predicted, self.segment)
                yield labels, window, traits


def measure(
    image: ImageLike,
    *,
    model: str | os.PathLike[str] = "default",
    pots: PotLayout | None = None,
    mm_per_px: float | None = None,
    crop_size: int | None = None,
    segment: SegmentSettings | None = None,
    quality: QualitySettings | None = None,
    predict: PredictSettings | None = None,
) -> Measurement:
    """Count and measure the leaves in one picture.

    Parameters
    ----------
    image : path-like or ndarray, (H, W, 3), uint8
        A picture file (turned upright if its EXIF data say so), or RGB pixels.
    model : str
        Packaged weights by name, or a ``.safetensors`` file.
    pots : PotLayout, optional
        Where the pots are; by default the whole image is one pot.
    mm_per_px : float, optional
        Millimetres that a pixel spans at leaf height; without it, areas in mm2 are missing.
    crop_size : int, optional
        Side of the crops in which the model finds the plant, px; a multiple of 16. It sees them,
        and the window around the plant, at ``predict.network_size``.
    segment : SegmentSettings, optional
        Seeds and clustering.
    quality : QualitySettings, optional
        Limits for flags.
    predict : PredictSettings, optional
        How often to look, at which size; device and precision.

    Returns
    -------
    Measurement
        Label map, plants and leaves.

    Raises
    ------
    ConfigError
        If a setting is out of range.
    InputError
        If the image is no path and no array, or pixels are of another shape or type.
    ModelError
        If the model is missing or damaged, or the device is not there.
    UnreadableImageError
        If the picture cannot be decoded.

    Examples
    --------
    >>> import phenopipe
    >>> found = phenopipe.measure("pot.png")  # doctest: +SKIP
    >>> found.plants[["leaf_count", "plant_area_px"]]  # doctest: +SKIP
    """
    measurer = Measurer.load(
        model,
        pots=pots,
        mm_per_px=mm_per_px,
        crop_size=crop_size,
        segment=segment,
        quality=quality,
        predict=predict,
    )
    return measurer.measure(image)


def _check_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InputError(f"image: is {pixels.shape} {pixels.dtype}, give (H, W, 3) uint8 RGB")
    return np.ascontiguousarray(pixels)


def _known(pots: Sequence[CropRow], plant: str) -> pd.DataFrame:
    """Return what is known of the pots of one image before measuring."""
    image = pd.DataFrame({"image": [pots[0].image]}, dtype="str")
    known = join_pots(image, pd.DataFrame([vars(pot) for pot in pots]))
    return known.assign(plant_id=f"{plant}-" + known["pot"])


def _paste(
    labels: NDArray[np.uint32],
    pot_labels: NDArray[np.uint32],
    crop: Crop,
    window: Window,
    leaves: int,
) -> None:
    """Write a crop's leaves into the image's label map, each pixel by its nearest neighbour."""
    height, width = labels.shape
    size = len(pot_labels)
    # The transform is a scaling and a shift, so rows and columns are looked up separately.
    (scale_x, _, shift_x), (_, scale_y, shift_y) = window.compose(crop.transform, size)
    cols = np.rint((np.arange(width) - shift_x) / scale_x).astype(int)
    rows = np.rint((np.arange(height) - shift_y) / scale_y).astype(int)
    left, top, right, bottom = window.clip(crop.valid, size)
    in_cols = np.flatnonzero((cols >= left) & (cols < right))
    in_rows = np.flatnonzero((rows >= top) & (rows < bottom))
    found = pot_labels[np.ix_(rows[in_rows], cols[in_cols])]
    at = np.ix_(in_rows, in_cols)
    labels[at] = np.where(found > 0, found + np.uint32(leaves), labels[at])
