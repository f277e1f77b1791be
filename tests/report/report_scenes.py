"""A small set with pictures and labels on disk, as the earlier stages leave it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from phenopipe.config import QualitySettings
from phenopipe.crop_table import CropRow, write_crop_table
from phenopipe.store import create_array, create_store
from phenopipe.tabulate import (
    LEAVES,
    PLANTS,
    Provenance,
    join_pots,
    leaf_rows,
    plant_rows,
    write_table,
)
from phenopipe.tabulate.columns import LEAF_TRAITS, PLANT_TRAITS

SIZE = 64
PROVENANCE = Provenance(analysis="default", model="small", model_sha256="cd" * 32)
TRAITS = sorted({*LEAF_TRAITS, *PLANT_TRAITS})


def plant_picture(seed, leaves, size=SIZE):
    """Draw round leaves on a ring; returns rgb and labels, leaf k at k golden angles."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((size, size))
    labels = np.zeros((size, size), np.uint32)
    for k in range(leaves):
        angle = k * 2.39996 + rng.uniform(-0.1, 0.1)
        centre = size / 2 + 0.27 * size * np.array([np.sin(angle), np.cos(angle)])
        inside = np.hypot(rows - centre[0], columns - centre[1]) < size * 0.11
        labels[inside] = k + 1
    rgb = rng.integers(70, 90, (size, size, 3)).astype(np.uint8)
    rgb[labels > 0] = (70, 150, 60)
    return rgb, labels


def write_set(
    folder: Path, name: str = "night1", *, plants: int = 8, genotype: str = "Is-1", day: int = 1,
    size: int = SIZE,
) -> dict[str, object]:  # fmt: skip
    """Write crops, labels and tables of a set in two shards; the last plant is unreadable and the
    first pot is empty. Returns the arguments of `write_set_report` that name files."""
    pictures = [plant_picture(k, k if k < 3 else 3 + (k + day) % 4, size) for k in range(plants)]
    rgb, labels = (np.stack(stack) for stack in zip(*pictures, strict=True))
    rgb[-1], labels[-1] = 0, 0
    images = [f"{name}/plant {k}.png" for k in range(plants)]
    crops = [
        CropRow(
            crop_id=image, image=image, pot=f"P{k}", camera="cam", image_height=size,
            image_width=size, valid_right=size, valid_bottom=size,
            status="unreadable" if k == plants - 1 else "ok",
            reason="is truncated" if k == plants - 1 else "",
            brightness=90.0, sharpness=9.0, mm_per_px=0.25,
        )
        for k, image in enumerate(images)
    ]  # fmt: skip
    half = plants // 2
    paths = {"crop_tables": [], "crops": [], "labels": folder / "labels.zarr"}
    for shard, part in (("000", slice(0, half)), ("001", slice(half, None))):
        with create_store(folder / f"{shard}.zarr", "crops") as group:
            create_array(group, "rgb", rgb[part].shape, np.uint8)[:] = rgb[part]
        write_crop_table(folder / f"{shard}.tsv", crops[part])
        paths["crop_tables"].append(folder / f"{shard}.tsv")
        paths["crops"].append(folder / f"{shard}.zarr")
    windows = np.full((plants, 3), (0, 0, size), np.int32)
    with create_store(folder / "labels.zarr", "labels") as group:
        create_array(group, "labels", labels.shape, np.uint32)[:] = labels
        create_array(group, "window", windows.shape, np.int32)[:] = windows
    write_tables(folder, name, crops, labels, genotype, day)
    return {**paths, "plants": folder / "plants.csv"}


def write_tables(folder, name, crops, labels, genotype, day):
    planned = pd.DataFrame(
        {
            "experiment": "demo",
            "image_set": name,
            "image": [crop.image for crop in crops],
            "timestamp": f"2026-03-{day:02d}T22:00:00+01:00",
            "camera": "cam",
            "pot": [crop.pot for crop in crops],
            "genotype": genotype,
            "treatment": ["wet", "dry"] * (len(crops) // 2),
        }
    )
    pots = join_pots(planned, pd.DataFrame(crops))
    rows = [
        dict.fromkeys(TRAITS, 1.0)
        | {"crop_id": crop.crop_id, "label": k, "status": crop.status, "reason": crop.reason}
        | {"area_px": float((at == k).sum() if k else (at > 0).sum()), "touches_edge": False}
        | {"centroid_x": float(10 * k), "centroid_y": 5.0, "confidence": 0.3 if k == 4 else 0.9}
        for crop, at in zip(crops, labels, strict=True)
        for k in range(int(at.max()) + 1)
    ]
    measured = pd.DataFrame(rows)
    table = plant_rows(pots, measured, quality=QualitySettings(), provenance=PROVENANCE)
    about = {key: str(value) for key, value in vars(PROVENANCE).items()}
    write_table(folder / "plants.csv", table, PLANTS, about)
    write_table(folder / "leaves.csv", leaf_rows(pots, measured), LEAVES, about)
