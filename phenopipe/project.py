"""A new experiment's folder: its configuration, and a profile that finds the workflow."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

import phenopipe
from phenopipe.config import Config, check_config
from phenopipe.config.render import commented_yaml
from phenopipe.errors import InputError
from phenopipe.files import write_text
from phenopipe.plan import make_roster, open_source, require_images
from phenopipe.plan.names import set_key
from phenopipe.plan.roster import Roster

#: The checkout that holds the workflow beside this package.
CHECKOUT = Path(phenopipe.__file__).resolve().parents[1]

HEADER = """\
# Settings of this experiment. Run the pipeline in the folder above this one:
#
#     snakemake --cores all
#
# Look first at what is taken as an image and what its name says: phenopipe plan --dry-run
"""


def init_project(folder: Path, images: Path, pattern: str | None = None) -> list[Roster]:
    """Write a configuration and a profile for an experiment.

    Parameters
    ----------
    folder : Path
        The experiment's folder; made if it is missing.
    images : Path
        Folder of pictures, or of one subfolder per image set.
    pattern : str, optional
        How file names are read, see ``plan.pattern``.

    Returns
    -------
    list of Roster
        What the configuration finds, one roster per image set.

    Raises
    ------
    InputError
        If there are no images, something is in the way, or the workflow is not found.
    """
    snakefile = CHECKOUT / "Snakefile"
    if not snakefile.is_file():
        raise InputError(
            f"{snakefile}: the workflow is not beside the package; install phenopipe from a "
            "checkout with pip install -e"
        )
    target = folder / "config" / "config.yaml"
    if target.exists():
        raise InputError(f"{target}: is there already; remove it or choose another folder")
    if not images.is_dir():
        raise InputError(f"{images}: is no folder of images")
    config = _config(folder, images, pattern)
    here = check_config(
        {**config.model_dump(), "plan": {**config.plan.model_dump(), "image_root": str(images)}}
    )
    source = open_source(here)
    rosters = [make_roster(here, set_key(name), source=source) for name in source.sets()]
    require_images(rosters)
    write_text(target, commented_yaml(config, HEADER))
    write_text(folder / "profiles" / "default" / "config.yaml", _profile(snakefile))
    return rosters


def _config(folder: Path, images: Path, pattern: str | None) -> Config:
    root = os.path.relpath(images.resolve(), folder.resolve())
    experiment = folder.resolve().name
    return check_config(
        {"experiment": experiment, "plan": {"image_root": root, "pattern": pattern}}
    )


def _profile(snakefile: Path) -> str:
    """Return the default profile with the workflow's place, so that `snakemake` alone finds it."""
    default = (CHECKOUT / "profiles" / "default" / "config.yaml").read_text(encoding="utf-8")
    place = yaml.safe_dump({"snakefile": str(snakefile), "configfile": "config/config.yaml"})
    return f"{default}# Where the workflow is.\n{place}"
