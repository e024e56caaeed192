"""Architectures whose output does not depend on the order of a set.

Every class of the catalogue has its short name here and in the package of its paradigm; it is imported when it is
first asked for::

    from setbench.models import FSPool, SetSpec
    encoder = FSPool(SetSpec(features=3, max_size=10), latent=64, width=128)
    code = encoder(elements, mask)
"""

from setbench.models.lazy import exports

__getattr__, __dir__ = exports(__name__, SetSpec="setbench.specs", AsAggregation="setbench.models.pyg")
