"""Labelled pictures of real plants: readers of what people use, and the challenge's writer."""

from phenopipe.labelled.coco import list_coco
from phenopipe.labelled.cvppp import list_cvppp
from phenopipe.labelled.folder import list_folder
from phenopipe.labelled.label_map import read_label_map
from phenopipe.labelled.picture import Labelled, LabelledPicture, read_picture
from phenopipe.labelled.sources import Source, check_sources, digest_sources, open_sources
from phenopipe.labelled.submission import write_submission

__all__ = [
    "Labelled",
    "LabelledPicture",
    "Source",
    "check_sources",
    "digest_sources",
    "list_coco",
    "list_cvppp",
    "list_folder",
    "open_sources",
    "read_label_map",
    "read_picture",
    "write_submission",
]
