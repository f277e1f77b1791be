"""Every figure that an evaluation gives: the only place where one is defined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from phenopipe.tabulate.columns import Column

#: How figures of pictures become one of a set; "pooled" sorts the leaves of all together.
Statistic = Literal["mean", "median", "pooled"]


@dataclass(frozen=True)
class Metric:
    """A figure of a picture, and of a set of pictures.

    Attributes
    ----------
    column : Column
        Its column in the table of pictures.
    title : str
        What people call it.
    statistic : {"mean", "median", "pooled"}
        What of it describes a set.
    """

    column: Column
    title: str
    statistic: Statistic

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.column.name


def _metric(name: str, title: str, statistic: Statistic, meaning: str, unit: str = "") -> Metric:
    return Metric(Column(name, "number", meaning, unit), title, statistic)


KEYS = (
    Column("data_set", "text", "Folder that the picture belongs to."),
    Column("image", "text", "Name of the picture, without its ending."),
    Column("leaf_class", "text", "Class of the picture by its true leaves."),
    Column("true_leaves", "integer", "Leaves in the true label map.", "leaves"),
    Column("found_leaves", "integer", "Leaves in the predicted label map.", "leaves"),
)

METRICS = (
    _metric(
        "symmetric_best_dice",
        "SBD",
        "mean",
        "Smaller of the two best Dice scores; 1 if neither map has a leaf, 0 if one has.",
        "0..1",
    ),
    _metric(
        "best_dice",
        "BestDice",
        "mean",
        "Mean over predicted leaves of the best Dice with a true one: missed leaves go unpunished.",
        "0..1",
    ),
    _metric(
        "best_dice_of_truth",
        "BestDice of truth",
        "mean",
        "Mean over true leaves of the best Dice with a predicted one: surplus goes unpunished.",
        "0..1",
    ),
    _metric(
        "absolute_difference_in_count",
        "|DiC|",
        "mean",
        "How many leaves too many or too few were found.",
        "leaves",
    ),
    _metric("difference_in_count", "DiC", "mean", "Leaves found minus true leaves.", "leaves"),
    _metric("right_count", "count right", "mean", "1 if the count is right, otherwise 0.", "0..1"),
    _metric(
        "foreground_dice",
        "FgBgDice",
        "mean",
        "Dice of the two foregrounds; missing if neither map has a leaf.",
        "0..1",
    ),
    _metric(
        "leaf_recall",
        "leaves found",
        "mean",
        "Share of true leaves matched by a predicted one (IoU 0.5); missing without true leaves.",
        "0..1",
    ),
    _metric(
        "leaf_precision",
        "leaves right",
        "mean",
        "Share of predicted leaves that match a true one (IoU 0.5); missing without any.",
        "0..1",
    ),
    _metric(
        "average_precision",
        "AP",
        "pooled",
        "Average precision, mean over IoU 0.50, 0.55 .. 0.95; missing without true leaves.",
        "0..1",
    ),
    _metric("average_precision_50", "AP50", "pooled", "Average precision at IoU 0.5.", "0..1"),
    _metric("average_precision_75", "AP75", "pooled", "Average precision at IoU 0.75.", "0..1"),
    _metric(
        "plant_area_error",
        "plant area error",
        "median",
        "Absolute difference of the areas of all leaves, over the true area.",
        "share of the true area",
    ),
    _metric(
        "plant_area_difference",
        "plant area difference",
        "median",
        "Area of all predicted leaves minus that of all true ones, over the latter.",
        "share of the true area",
    ),
    _metric(
        "leaf_area_error",
        "leaf area error",
        "median",
        "Median over matched leaves (IoU 0.5) of the absolute difference over the true area.",
        "share of the true area",
    ),
    _metric(
        "leaf_area_difference",
        "leaf area difference",
        "median",
        "Median over matched leaves (IoU 0.5) of predicted minus true area, over the true area.",
        "share of the true area",
    ),
)

#: What is shown first.
HEADLINE = (
    "symmetric_best_dice",
    "absolute_difference_in_count",
    "difference_in_count",
    "foreground_dice",
    "leaf_recall",
    "average_precision",
    "plant_area_error",
)

#: Columns of the table with a row for each picture.
IMAGES = (*KEYS, *(metric.column for metric in METRICS))

#: Columns of the table with a row for each figure of each group of pictures.
SUMMARY = (
    Column("data_set", "text", "Folder that the pictures belong to; 'all' is all of them."),
    Column("leaf_class", "text", "Class of the pictures by true leaves; 'all' is all of them."),
    Column("metric", "text", "Column of the pictures' table."),
    Column("statistic", "text", "mean or median over pictures, or pooled over their leaves."),
    Column("value", "number", "The figure."),
    Column("standard_error", "number", "Its standard error, by bootstrap over pictures."),
    Column("low", "number", "Lower end of its 95 % interval, by bootstrap over pictures."),
    Column("high", "number", "Upper end of its 95 % interval."),
    Column("images", "integer", "Pictures that have this figure."),
)
