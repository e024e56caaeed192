"""Elements look at one another, or a reader looks at them. The classes of the catalogue, by their names."""

from setbench.models.lazy import exports

__getattr__, __dir__ = exports(__name__)
