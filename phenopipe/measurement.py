"""Plain pictures in, tables and label maps out: the whole pipeline for a notebook or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
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
)
from phenopipe.encoding import encode_distance, encode_embedding
from phenopipe.errors import InputError, UnreadableImageError
from phenopipe.ingest import Crop, CropRow, cut_pots, decode_image, unreadable_pots
from phenopipe.model.find import file_sha256, find_weights
from phenopipe.plan import RosterRow
from phenopipe.predict import Network
from phenopipe.segment import empty_measurements, segment_crop
from phenopipe.tabulate import Provenance, join_pots, leaf_rows, plant_rows

ImageLike = str | os.PathLike[str] | NDArray[np.uint8]


@dataclass(frozen=True)
class Measurement:
    """What was found in one image.

    Attributes
    ----------
    labels : ndarray, (H, W), uint32
        Label map of the image's own size: 0 is background, 1..K are leaves, numbered on from pot
        to pot, as `leaf_id` in `leaves`.
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
        model: str = "default",
        *,
        pots: PotLayout | None = None,
        mm_per_px: float | None = None,
        crop_size: int | None = None,
        segment: SegmentSettings | None = None,
        predict: PredictSettings | None = None,
    ) -> Measurer:
        """Load a model; parameters as for :func:`measure`."""
        weights = find_weights(model)
        camera = CameraSettings(mm_per_px=mm_per_px, pots=pots)
        size = {} if crop_size is None else {"crop_size": crop_size}
        return cls(
            Network(weights, predict or PredictSettings()),
            IngestSettings(cameras={"default": camera}, **size),
            segment or SegmentSettings(),
            QualitySettings(),
            Provenance("measure", Path(model).stem, file_sha256(weights)),
        )

    def measure(self, image: ImageLike, name: str | None = None) -> Measurement:
        """Measure one image; see :func:`measure`.

        Parameters
        ----------
        image : path-like or ndarray, (H, W, 3), uint8
            A picture file, or RGB pixels.
        name : str, optional
            Name of the image in the tables; by default its path, or "image".
        """
        is_array = isinstance(image, np.ndarray)
        row = RosterRow(name or ("image" if is_array else os.fspath(image)))
        rgb = _check(image) if is_array else decode_image(image, self.ingest)
        return self._measure_pots(row, list(cut_pots(rgb, row, self.ingest)), rgb.shape[:2])

    def unreadable(self, name: str, reason: str) -> Measurement:
        """Return the rows that stand for an image that cannot be read: flagged, not dropped."""
        row = RosterRow(name)
        return self._measure_pots(row, list(unreadable_pots(row, self.ingest, reason)), (0, 0))

    def _measure_pots(
        self, row: RosterRow, pots: list[tuple[CropRow, Crop | None]], shape: tuple[int, int]
    ) -> Measurement:
        labels = np.zeros(shape, np.uint32)
        tables = [empty_measurements()]
        crops = [(crop_row, crop) for crop_row, crop in pots if crop is not None]
        for (crop_row, crop), found in zip(crops, self._segment(crops), strict=True):
            pot_labels, traits = found
            first = int(labels.max(initial=0))
            _paste(labels, pot_labels, crop, first)
            traits.loc[traits["label"] > 0, "label"] += first
            tables.append(traits.assign(crop_id=crop_row.crop_id, status="ok", reason=""))
        plan = pd.DataFrame({"image": [row.image]}, dtype="str")
        known = join_pots(plan, pd.DataFrame([vars(crop_row) for crop_row, _ in pots]))
        measured = pd.concat(tables, ignore_index=True)
        return Measurement(
            labels,
            plant_rows(known, measured, quality=self.quality, provenance=self.provenance),
            leaf_rows(known, measured),
        )

    def _segment(
        self, crops: list[tuple[CropRow, Crop]]
    ) -> Iterator[tuple[NDArray[np.uint32], pd.DataFrame]]:
        """Predict and segment, through the stored encoding, so that rows equal the pipeline's."""
        step = self.network.settings.batch_size
        for start in range(0, len(crops), step):
            part = [crop for _, crop in crops[start : start + step]]
            distances, embeddings = self.network(np.stack([crop.rgb for crop in part]))
            for crop, distance, embedding in zip(part, distances, embeddings, strict=True):
                yield segment_crop(
                    crop.rgb,
                    encode_distance(distance),
                    encode_embedding(embedding, distance),
                    crop.transform,
                    crop.valid,
                    self.segment,
                )


def measure(
    image: ImageLike,
    *,
    model: str = "default",
    pots: PotLayout | None = None,
    mm_per_px: float | None = None,
    crop_size: int | None = None,
    segment: SegmentSettings | None = None,
    predict: PredictSettings | None = None,
) -> Measurement:
    """Count and measure the leaves in one picture.

    Parameters
    ----------
    image : path-like or ndarray, (H, W, 3), uint8
        A picture file, or RGB pixels.
    model : str
        Packaged weights by name, or a ``.safetensors`` file.
    pots : PotLayout, optional
        Where the pots are; by default the whole image is one pot.
    mm_per_px : float, optional
        Millimetres that a pixel spans at leaf height; without it, areas in mm2 are missing.
    crop_size : int, optional
        Side of the crops that the model sees, px.
    segment : SegmentSettings, optional
        Seeds and clustering.
    predict : PredictSettings, optional
        Device and precision.

    Returns
    -------
    Measurement
        Label map, plants and leaves.

    Raises
    ------
    UnreadableImageError
        If the picture cannot be decoded.
    ModelError
        If the model is missing or damaged.

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
        predict=predict,
    )
    return measurer.measure(image)


def measure_files(measurer: Measurer, paths: Iterable[Path]) -> Iterator[tuple[Path, Measurement]]:
    """Measure files one after another; one that cannot be read gives flagged rows.

    Yields
    ------
    path : Path
        The file.
    measurement : Measurement
        What was found; an empty label map if the file cannot be read.
    """
    for path in paths:
        try:
            found = measurer.measure(path)
        except UnreadableImageError as error:
            found = measurer.unreadable(str(path), str(error))
        yield path, found


def _check(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InputError(f"image: is {pixels.shape} {pixels.dtype}, give (H, W, 3) uint8 RGB")
    return pixels


def _paste(
    labels: NDArray[np.uint32], pot_labels: NDArray[np.uint32], crop: Crop, first: int
) -> None:
    """Write a crop's leaves into the image's label map, each pixel by its nearest neighbour."""
    height, width = labels.shape
    # The transform is a scaling and a shift, so rows and columns are looked up separately.
    (scale_x, _, shift_x), (_, scale_y, shift_y) = crop.transform
    cols = np.rint((np.arange(width) - shift_x) / scale_x).astype(int)
    rows = np.rint((np.arange(height) - shift_y) / scale_y).astype(int)
    left, top, right, bottom = crop.valid
    in_cols = np.flatnonzero((cols >= left) & (cols < right))
    in_rows = np.flatnonzero((rows >= top) & (rows < bottom))
    found = pot_labels[np.ix_(rows[in_rows], cols[in_cols])]
    window = np.ix_(in_rows, in_cols)
    labels[window] = np.where(found > 0, found + np.uint32(first), labels[window])
