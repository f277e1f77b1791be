# What all rules share: the checked configuration and the workflow's targets.
import sys
from pathlib import Path

from phenopipe.config import check_config
from phenopipe.errors import PhenopipeError
from snakemake.exceptions import WorkflowError

try:
    CONFIG = check_config(
        config,
        source=", ".join(map(str, workflow.overwrite_configfiles))
        or "config/config.yaml",
    )
except PhenopipeError as error:
    raise WorkflowError(str(error)) from None

ANALYSIS = "results/analyses/{analysis}"
SET_TABLES = ANALYSIS + "/sets/{set}"


wildcard_constraints:
    set="[A-Za-z0-9._%-]+",
    shard="[0-9]+",
    model="|".join(CONFIG.models),
    analysis="|".join(CONFIG.analyses),


def all_tables(wildcards):
    """Name every analysis's tables and its check."""
    return [
        *expand(
            SET_TABLES + "/{table}.csv",
            analysis=CONFIG.analyses,
            set=ROSTERS,
            table=["plants", "leaves"],
        ),
        *expand(ANALYSIS + "/checked", analysis=CONFIG.analyses),
    ]


def all_reports(wildcards):
    """Name every analysis's pages."""
    return [
        *expand(SET_TABLES + "/report.html", analysis=CONFIG.analyses, set=ROSTERS),
        *expand(ANALYSIS + "/season/report.html", analysis=CONFIG.analyses),
    ]


def model_of(wildcards):
    """Name the model of an analysis."""
    return CONFIG.analyses[wildcards.analysis].model
