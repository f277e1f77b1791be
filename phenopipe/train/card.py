"""The model card: what a model is, what it learned from, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment

from phenopipe.config import TrainSettings
from phenopipe.files import write_text

TEMPLATE = """\
# Model card: {{ name }}

A W-Net (Wu, Chen and Merhof 2020) of preset `{{ header.preset }}` with
{{ header.embedding_dim }} embedding dimensions{% if header.steps %}, trained for \
{{ header.steps }} steps{% endif %}{% if header.phenopipe_version %}, made with phenopipe \
{{ header.phenopipe_version }}{% endif %}. It counts and
outlines the leaves of single plants seen from above.

{% set this_training = "training" if metrics.passed else "training that did not pass" -%}
{% set learned = "Learned" if metrics.passed else "The " ~ this_training ~ " learned" -%}
- **sha256** of `model.safetensors`: `{{ metrics.sha256 }}`
{% if settings.data | rejectattr("kind", "equalto", "synthetic") | list -%}
- **{{ learned }} from** several sources, by weight:{% for source in settings.data %} \
{{ source.kind }}{% if source.path %} `{{ source.path }}`{% endif %} \
{{ source.weight }}{{ "," if not loop.last else "." }}{% endfor %}

{% else -%}
- **{{ learned }} from** synthetic rosettes only{% if settings.plants.soil_folder %}, \
on real pictures of bare soil in `{{ settings.plants.soil_folder }}`{% endif %}; no leaf was
  labelled by hand.
{% endif -%}
- **Gate**: {{ "passed" if metrics.passed else "NOT PASSED, this is the predecessor" }}:
  {{ metrics.reason }}.
- **Course of the {{ this_training }}**: `training/curves.html`, drawn from `training/losses.csv`.

{% set shown = metrics.candidate or metrics.predecessor %}
## Figures on {{ shown.pictures }} validation pictures, which the training kept back

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

## Settings of the {{ this_training }}

```yaml
{{ settings_yaml }}```
"""


def write_card(
    path: Path,
    name: str,
    settings: TrainSettings,
    metrics: Mapping[str, Any],
    header: Mapping[str, str],
) -> None:
    """Write the card of a trained model as Markdown.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Name of the model.
    settings : TrainSettings
        Settings of its last training.
    metrics : mapping of str to Any
        What came of that, as ``metrics.json`` has it.
    header : mapping of str to str
        What the file of the model in use says of itself, the predecessor's if that training did
        not pass.
    """
    template = Environment(autoescape=False, trim_blocks=True).from_string(TEMPLATE)
    text = template.render(
        name=name,
        settings=settings,
        metrics=metrics,
        header=header,
        settings_yaml=yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False),
    )
    write_text(path, text)
