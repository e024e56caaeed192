"""setbench: permutation-invariant architectures compared on set tasks. ``from setbench import run``.

``bench``, ``models`` and ``tasks`` lie at the top of the repository; here they are links, so that they have one name,
``setbench.bench`` and so on, from a clone and from an installation alike.
"""

from setbench.bench import run

__all__ = ["run"]
