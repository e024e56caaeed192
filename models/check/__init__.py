"""Is this module a function of sets? For any ``torch.nn.Module``, of the catalogue or not.

    from setbench import check
    print(check(module, features=3, size=10))

or ``python -m setbench.models.check FILE:CLASS``.
"""

from setbench.models.check.run import check
from setbench.models.check.verdict import Checked

__all__ = ["Checked", "check"]
