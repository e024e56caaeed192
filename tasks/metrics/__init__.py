"""How good a prediction is: average precision in its several definitions, and distances between sets."""

from setbench.tasks.metrics.average_precision import pooled_average_precision
from setbench.tasks.metrics.boxes import average_precision_boxes, box_metrics
from setbench.tasks.metrics.distances import chamfer_distance, hungarian_distance, ospa_distance, size_error
from setbench.tasks.metrics.states import average_precision_states, state_metrics

__all__ = [
    "average_precision_boxes",
    "average_precision_states",
    "box_metrics",
    "chamfer_distance",
    "hungarian_distance",
    "ospa_distance",
    "pooled_average_precision",
    "size_error",
    "state_metrics",
]
