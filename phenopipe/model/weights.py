"""Model files: safetensors with the network's shape in the header, nothing that is unpickled."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import torch
from safetensors import safe_open
from safetensors.torch import save

from phenopipe.errors import ModelError, NotFiniteError
from phenopipe.files import write_aside
from phenopipe.model.header import FORMAT, read_header
from phenopipe.model.wnet import WNet


def save_model(
    path: str | os.PathLike[str], model: WNet, metadata: Mapping[str, str] | None = None
) -> None:
    """Write weights as float16 safetensors, with preset and E in the header.

    Parameters
    ----------
    path : path-like
        Final name; written whole or not at all.
    model : WNet
        An unfolded network.
    metadata : mapping of str to str, optional
        Further facts for the header: training steps, data, version.
    """
    header = {
        "format": FORMAT,
        "preset": model.preset,
        "embedding_dim": str(model.embedding_dim),
        "use_distance_features": str(int(model.use_distance_features)),
        **(metadata or {}),
    }
    tensors = {
        name: (t.half() if t.is_floating_point() else t).contiguous()
        for name, t in model.state_dict().items()
    }
    # One entry only: safetensors writes several in an order that changes from run to run.
    save_tensors(path, tensors, {"phenopipe": json.dumps(header, sort_keys=True)})


def save_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, torch.Tensor], header: Mapping[str, str]
) -> None:
    """Write a safetensors file, whole or not at all.

    Parameters
    ----------
    path : path-like
        Final name.
    tensors : mapping of str to Tensor
        Contiguous tensors that share no memory.
    header : mapping of str to str
        Metadata of the file.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    # Not save_file: its errors have no number, and only the owner may read its files.
    content = save(dict(tensors), metadata=dict(header))
    with write_aside(path) as part:
        part.write_bytes(content)


def load_model(path: str | os.PathLike[str]) -> WNet:
    """Read a network and its weights, in evaluation mode, float32.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or does not fit the network that its header names.
    """
    header = read_header(path)
    model = WNet(
        header["preset"],
        int(header["embedding_dim"]),
        use_distance_features=header.get("use_distance_features", "1") == "1",
    )
    copy_weights(model, path)
    return model.eval()


def copy_weights(model: WNet, path: str | os.PathLike[str]) -> None:
    """Copy the weights of a model file into a network of the same shape.

    Raises
    ------
    ModelError
        If the file is missing or damaged; if it holds another preset or E, when the message names
        both; if its weights do not fit, or are NaN or infinite.
    """
    header = read_header(path)
    theirs = (header["preset"], int(header["embedding_dim"]))
    ours = (model.preset, model.embedding_dim)
    if theirs != ours:
        raise ModelError(
            f"{path}: holds preset {theirs[0]} with embedding_dim {theirs[1]}, "
            f"but preset {ours[0]} with embedding_dim {ours[1]} is asked for"
        )
    with safe_open(path, framework="pt") as file:
        tensors: dict[str, torch.Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    broken = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise NotFiniteError(f"{path}: holds values that are NaN or infinite ({broken[0]}{more})")
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(
            f"{path}: its weights do not fit ({' '.join(str(error).split())})"
        ) from error
