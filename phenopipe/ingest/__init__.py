"""From picture files to crops of one size: decode once, cut pots, resample, store."""

from phenopipe.ingest.cleaned import borrow_crops
from phenopipe.ingest.crop import Crop, cut_crop
from phenopipe.ingest.decode import decode_image
from phenopipe.ingest.image import cut_pots, unreadable_pots
from phenopipe.ingest.pots import PotBox, pot_boxes, pot_names
from phenopipe.ingest.shard import ingest_shard

__all__ = [
    "Crop",
    "PotBox",
    "borrow_crops",
    "cut_crop",
    "cut_pots",
    "decode_image",
    "ingest_shard",
    "pot_boxes",
    "pot_names",
    "unreadable_pots",
]
