"""Settings of the data that a model learns from: sources and their shares."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from phenopipe.config.block import Block, setting

#: The keys that each kind of source takes, besides kind and weight; those that it must have first.
NEEDED = {"synthetic": (), "cvppp": ("path",), "folder": ("path",), "coco": ("path",)}
ALLOWED = {
    "synthetic": (),
    "cvppp": ("path", "validation_share"),
    "folder": ("path", "images", "labels", "validation_share"),
    "coco": ("path", "images", "categories", "crowd", "validation_share"),
}


class DataSettings(Block):
    """One source of pictures to learn from."""

    kind: Literal["synthetic", "cvppp", "folder", "coco"] = setting(
        ...,
        "synthetic: plants drawn on the spot, as plants says; cvppp: the Leaf Segmentation "
        "Challenge's folders; folder: pictures and label maps; coco: outlines in a COCO JSON, as "
        "CVAT and Label Studio export it.",
    )
    weight: float = setting(
        1.0,
        "How many pictures come from here, relative to the weights of the other sources.",
        gt=0,
    )
    path: str | None = setting(
        None,
        "cvppp: the folder that holds A1, A2, ..., or one of them; folder: the folder; coco: the "
        "JSON file.",
    )
    images: str | None = setting(
        None,
        "folder: names of the pictures, one * for what they share with their label maps (null: "
        "*_rgb.png); coco: the pictures' folder (null: the JSON's).",
    )
    labels: str | None = setting(
        None, "folder: names of the label maps, one * (null: *_label.png); PNG, TIFF or .npy."
    )
    categories: list[str] | None = setting(
        None, "coco: names of the categories that are leaves; null takes all."
    )
    crowd: Literal["ignore", "leaves"] = setting(
        "ignore",
        "coco: crowd regions are painted over, so that nothing is learnt there, or leaves like "
        "others (CVAT marks what was drawn with the brush as a crowd).",
    )
    validation_share: float = setting(
        0.15,
        "Share of the labelled pictures that are never trained on and score the model; a hash of "
        "its name decides on each.",
        ge=0,
        lt=1,
    )

    @model_validator(mode="after")
    def _fitting_keys(self) -> Self:
        for key in NEEDED[self.kind]:
            if getattr(self, key) is None:
                raise ValueError(f"{key} is missing: kind {self.kind} needs it")
        for key, field in type(self).model_fields.items():
            known = key in ("kind", "weight", *ALLOWED[self.kind])
            if not known and getattr(self, key) != field.default:
                allowed = ", ".join(("weight", *ALLOWED[self.kind]))
                raise ValueError(f"{key} is no key of kind {self.kind}, which takes {allowed}")
        return self

    @model_validator(mode="after")
    def _patterns(self) -> Self:
        if self.kind == "folder":
            for key in ("images", "labels"):
                pattern = getattr(self, key)
                if pattern is not None and pattern.count("*") != 1:
                    raise ValueError(f"{key}: {pattern!r} needs exactly one *, such as *_rgb.png")
        return self
