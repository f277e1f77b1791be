"""From picture files to crops of one size: decode once, cut pots, resample, store."""

from phenopipe.ingest.cleaned import borrow_crops
from phenopipe.ingest.crop import Crop, cut_crop
from phenopipe.ingest.decode import decode_image
from phenopipe.ingest.image import cut_pots, unreadable_pots
from phenopipe.ingest.pots import PotBox, pot_boxes, pot_names
from phenopipe.ingest.shard import ingest_shard
from phenopipe.ingest.table import CropRow, read_crop_table, write_crop_table

__all__ = [
    "Crop",
    "CropRow",
    "PotBox",
    "borrow_crops",
    "cut_crop",
    "cut_pots",
    "decode_image",
    "ingest_shard",
    "pot_boxes",
    "pot_names",
    "read_crop_table",
    "unreadable_pots",
    "write_crop_table",
]
