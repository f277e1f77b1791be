"""docs/network.md says what the networks cost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import torch

from phenopipe.config.train import Preset as PresetName
from phenopipe.errors import InputError, ModelError
from phenopipe.model.document import PARTS, count_cost, count_flops, fill_generated, main
from phenopipe.model.presets import PRESETS, Preset
from phenopipe.model.wnet import WNet

torch.set_num_threads(1)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "network.md"
SIDE = 512


def convolution(inputs: int, outputs: int, kernel: int, side: int) -> int:
    """Operations of a convolution that keeps the side."""
    return 2 * inputs * outputs * kernel**2 * side**2


def unet_flops(inputs: int, widths: tuple[int, ...], kernel: int, side: int) -> int:
    """Add up the convolutions of a U-Net, layer by layer, from its description alone."""
    total = 0
    for level, width in enumerate(widths):
        here = side >> level
        below = inputs if level == 0 else widths[level - 1]
        total += convolution(below, width, 3, here) + convolution(width, width, 3, here)
        if level + 1 < len(widths):  # on the way up: upsampled, joined with the skip, merged
            finer = here if kernel > 1 else here // 2
            total += convolution(widths[level + 1], width, kernel, finer)
            total += convolution(2 * width, width, 3, here) + convolution(width, width, 3, here)
    return total


def test_the_page_is_in_step_with_the_networks() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == fill_generated(text), (
        "docs/network.md has drifted: python -m phenopipe.model.document docs/network.md"
    )
    assert all(f"| `{preset}` | {part} |" in text for preset in PRESETS for part in PARTS.values())


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("side", [64, 512])
def test_operations_equal_the_sum_over_layers(name: str, side: int) -> None:
    preset, dimensions = PRESETS[name], 5
    width, square, finest = preset.widths[0], preset.stem**2, side // preset.stem
    shape = preset.widths, preset.upsampling_kernel, finest
    expected = {
        "distance_unet": unet_flops(3 * square, *shape),
        "distance_head": convolution(width, square, 3, finest),
        "distance_features": convolution(width, width, 3, finest),
        "embedding_unet": unet_flops(3 * square + width, *shape),
        "embedding_head": convolution(width, dimensions * square, 3, finest),
    }
    with torch.device("meta"):
        counted = count_flops(WNet(name, dimensions).eval(), side)
    assert {part: counted[part] for part in PARTS} == expected
    assert counted["total"] == sum(expected.values())


@pytest.mark.parametrize("name", PRESETS)
def test_parts_add_up_to_the_total(name: str) -> None:
    cost = dict(count_cost(name))
    total = cost.pop("total")
    assert total.parameters == sum(part.parameters for part in cost.values())
    assert total.folded == sum(part.folded for part in cost.values())
    assert total.flops == {
        side: sum(part.flops[side] for part in cost.values()) for side in total.flops
    }
    assert total.parameters == sum(p.numel() for p in WNet(name).parameters())


def test_folding_leaves_one_bias_a_channel() -> None:
    """A normalisation has two numbers a channel, the convolution that takes it up one."""
    for name, preset in PRESETS.items():
        cost = count_cost(name)["distance_unet"]
        channels = 2 * sum(preset.widths) + 2 * sum(preset.widths[:-1])
        assert cost.parameters - cost.folded == channels * preset.normalise


def test_medium_lies_between() -> None:
    costs = [count_cost(name)["total"] for name in ("tiny", "small", "medium", "paper")]
    assert [c.flops[SIDE] for c in costs] == sorted(c.flops[SIDE] for c in costs)
    assert [c.parameters for c in costs] == sorted(c.parameters for c in costs)


def test_settings_offer_every_preset() -> None:
    assert set(get_args(PresetName)) == set(PRESETS)


@pytest.mark.parametrize(("width", "known"), [(32, "198"), (16, "49.8")])
def test_the_known_figures_of_the_paper(
    width: int, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's arithmetic: upsampling at a quarter, no D-feat and no embedding head."""
    widths = tuple(width << level for level in range(5))
    monkeypatch.setitem(PRESETS, "paper", Preset(widths, False, 0.5, 2, 1))
    with torch.device("meta"):
        counted = count_flops(WNet("paper", 8).eval(), SIDE)
    upsampling = sum(
        count for name, count in counted.items() if re.fullmatch(r"\w+_unet\.up\.\d", name)
    )
    terms = [
        counted["total"],
        -0.75 * upsampling,
        -counted["distance_features"],
        -counted["embedding_head"],
    ]
    column = {32: 1, 16: 2}[width]
    table = PAGE.read_text(encoding="utf-8").split("| GFLOP at 512x512 | width 32")[1]
    cells = [line.strip("|").split("|")[column].strip() for line in table.splitlines()[2:7]]
    assert cells == [f"{value / 1e9:.3f}" for value in (*terms, sum(terms))]
    assert f"{sum(terms) / 1e9:.3g}" == known


def test_stale_parts_are_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# T\n<!-- generated: parts -->\nstale\n<!-- end of generated -->\nkept\n")
    main([str(page)])
    text = page.read_text()
    assert "stale" not in text and text.startswith("# T\n") and text.endswith("kept\n")
    assert "| `paper` | U-Net 1 | 7,760,064 |" in text


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="moons"):
        fill_generated("<!-- generated: moons -->\n<!-- end of generated -->")
    with pytest.raises(ModelError, match="huge"):
        count_cost("huge")
