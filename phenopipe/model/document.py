"""Tables of `docs/network.md`, counted on the networks themselves.

Run ``python -m phenopipe.model.document docs/network.md`` after a change of the network.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from phenopipe.errors import InputError
from phenopipe.files import write_text
from phenopipe.markdown import fill_parts, markdown_table
from phenopipe.model.presets import PRESETS
from phenopipe.model.wnet import WNet

#: Dimensions of the embedding in the tables, and sides of the pictures, px.
EMBEDDING_DIM = 8
SIDES = (256, 512)
#: Parts of a W-Net by the names of its modules.
PARTS = {
    "distance_unet": "U-Net 1",
    "distance_head": "distance head",
    "distance_features": "D-feat convolution",
    "embedding_unet": "U-Net 2",
    "embedding_head": "embedding head",
}


@dataclass(frozen=True)
class Cost:
    """What a part of a network costs.

    Attributes
    ----------
    parameters : int
        Numbers that are learned.
    folded : int
        Numbers that are left for inference, normalisations folded into their convolutions.
    flops : dict of int to int
        Floating point operations of the convolutions for one square picture of that side, px; a
        multiplication with its addition is two.
    """

    parameters: int
    folded: int
    flops: dict[int, int]


@cache
def count_cost(preset: str, embedding_dim: int = EMBEDDING_DIM) -> Mapping[str, Cost]:
    """Count the parameters and operations of a network; nothing is computed.

    Parameters
    ----------
    preset : str
        Name of the network's size.
    embedding_dim : int
        Dimensions E of the embedding.

    Returns
    -------
    mapping of str to Cost
        By the names of `PARTS`, then their sum as ``total``.

    Raises
    ------
    ModelError
        If there is no such preset.
    """
    with torch.device("meta"):
        model = WNet(preset, embedding_dim).eval()
    flops = {side: count_flops(model, side) for side in SIDES}
    parts = {name: model.get_submodule(name) for name in PARTS} | {"total": model}
    learned = {name: _parameters(part) for name, part in parts.items()}
    model.fold()
    return {
        name: Cost(learned[name], _parameters(part), {side: flops[side][name] for side in SIDES})
        for name, part in parts.items()
    }


def count_flops(model: WNet, side: int) -> dict[str, int]:
    """Count the operations for one picture by module, and of all as ``total``.

    Parameters
    ----------
    model : WNet
        Its tensors may be on torch's device "meta", which holds none.
    side : int
        Height and width of the picture, px.
    """
    device = next(model.parameters()).device
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(torch.zeros(1, 3, side, side, device=device))
    counts = counter.get_flop_counts()
    each = {name: sum(count.values()) for name, count in counts.items()}
    return {name.removeprefix("WNet."): count for name, count in each.items()} | {
        "total": counter.get_total_flops()
    }


def _parameters(part: nn.Module) -> int:
    return sum(tensor.numel() for tensor in part.parameters())


def fill_generated(text: str) -> str:
    """Fill in the generated parts of a Markdown document.

    Parameters
    ----------
    text : str
        Document with the parts ``presets`` and ``parts``, see `phenopipe.markdown`.

    Raises
    ------
    InputError
        If a part has another name.
    """
    return fill_parts(text, _generate)


def _generate(name: str) -> str:
    if name == "presets":
        return _presets_table()
    if name == "parts":
        return _parts_table()
    raise InputError(f"generated part {name!r}: is none of presets, parts")


def _presets_table() -> str:
    header = (
        *("preset", "widths", "batch normalisation", "dropout", "upsampling kernel", "stem"),
        *("parameters", "folded", *(f"GFLOP at {side}x{side}" for side in SIDES)),
    )
    rows = []
    for name, preset in PRESETS.items():
        shape = (
            *(f"`{name}`", ", ".join(map(str, preset.widths))),
            *("yes" if preset.normalise else "no", f"{preset.dropout:g}"),
            f"{preset.upsampling_kernel}x{preset.upsampling_kernel}",
            f"{preset.stem}x{preset.stem}",
        )
        rows.append((*shape, *_cells(count_cost(name)["total"])))
    return markdown_table(header, rows)


def _parts_table() -> str:
    rows = [
        (f"`{preset}`", PARTS[name], *_cells(cost))
        for preset in PRESETS
        for name, cost in count_cost(preset).items()
        if name in PARTS
    ]
    sides = (f"GFLOP at {side}x{side}" for side in SIDES)
    return markdown_table(("preset", "part", "parameters", "folded", *sides), rows)


def _cells(cost: Cost) -> tuple[str, ...]:
    numbers = f"{cost.parameters:,}", f"{cost.folded:,}"
    return (*numbers, *(f"{cost.flops[side] / 1e9:.3f}" for side in SIDES))


def main(arguments: Sequence[str]) -> None:
    """Rewrite the generated parts of each document named."""
    for name in arguments:
        path = Path(name)
        write_text(path, fill_generated(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(sys.argv[1:])
