"""How good a prediction is: average precision in its several definitions, and distances between sets."""

from tasks.metrics.average_precision import pooled_average_precision
from tasks.metrics.boxes import average_precision_boxes, box_metrics
from tasks.metrics.distances import chamfer_distance, hungarian_distance, ospa_distance, size_error
from tasks.metrics.states import average_precision_states, state_metrics

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
