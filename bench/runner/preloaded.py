"""What the forkserver imports once for all cells. Named modules come in an environment variable; see ``execute``.

A module that cannot be imported is passed over here: the cells that need it then fail by themselves, and say why,
where a forkserver that died would have taken every cell with it.
"""

import contextlib
import os
from importlib import import_module

NAMES = "SETBENCH_PRELOAD"

for _name in os.environ.get(NAMES, "").split():
    with contextlib.suppress(Exception, SystemExit):
        import_module(_name)
