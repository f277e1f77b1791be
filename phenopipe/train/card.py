"""The model card: what a model is, what it learned from, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment

import phenopipe
from phenopipe.config import TrainSettings
from phenopipe.files import write_text

TEMPLATE = """\
# Model card: {{ name }}

A W-Net (Wu, Chen and Merhof 2020) of preset `{{ settings.preset }}` with
{{ settings.embedding_dim }} embedding dimensions, made with phenopipe {{ version }}. It counts and
outlines the leaves of single plants seen from above.

- **sha256** of `model.safetensors`: `{{ metrics.sha256 }}`
{% if settings.data | rejectattr("kind", "equalto", "synthetic") | list -%}
- **Learned from** several sources, by weight:{% for source in settings.data %} \
{{ source.kind }}{% if source.path %} `{{ source.path }}`{% endif %} \
{{ source.weight }}{{ "," if not loop.last else "." }}{% endfor %}

{% else -%}
- **Learned from** synthetic rosettes only{% if settings.plants.soil_folder %}, on real pictures of
  bare soil in `{{ settings.plants.soil_folder }}`{% endif %}; no leaf was labelled by hand.
{% endif -%}
- **Gate**: {{ "passed" if metrics.passed else "NOT PASSED, this is the predecessor" }}:
  {{ metrics.reason }}.
- **Course of the training**: `training/curves.html`, drawn from `training/losses.csv`.

{% set shown = metrics.candidate or metrics.predecessor %}
## Figures on {{ shown.pictures }} validation pictures, none of which it learned from

| model | pictures | SBD | abs DiC | DiC | foreground Dice |
|---|---|---|---|---|---|
{% for role in ("candidate", "predecessor") if metrics[role] -%}
{% set score = metrics[role] -%}
{% set sets = score.get("data_sets", {}) -%}
{% for set, s in ([("all", score)] if sets | length != 1 else []) + sets.items() | list -%}
| {{ role }} | {{ set }} ({{ s.pictures }}) | {{ s.symmetric_best_dice }} \
| {{ s.absolute_difference_in_count }} | {{ s.difference_in_count }} | {{ s.foreground_dice }} |
{% endfor %}
{%- endfor %}

## Limits

Synthetic pictures are easier than real ones: look at overlays of your own pictures before you
rely on the tables. Plants are rosettes seen from above, one in a crop.

## Settings of the training

```yaml
{{ settings_yaml }}```
"""


def write_card(path: Path, name: str, settings: TrainSettings, metrics: Mapping[str, Any]) -> None:
    """Write the card of a trained model as Markdown."""
    template = Environment(autoescape=False, trim_blocks=True).from_string(TEMPLATE)
    text = template.render(
        name=name,
        settings=settings,
        metrics=metrics,
        version=phenopipe.__version__,
        settings_yaml=yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False),
    )
    write_text(path, text)
