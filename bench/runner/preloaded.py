"""What the forkserver does before it serves: import for all cells, and make sure that it takes its family with it.

The modules come by name in an environment variable; see ``processes.preload``. One that cannot be imported is passed
over here: the cells that need it then fail by themselves, and say why, where a forkserver that died would have taken
every cell with it.

The forkserver ends when the driver does, however that went. It adopts the orphans of its cells, and ends all of them
first. It stands in a session of its own, so that what kills the driver's whole group leaves it time for that.
"""

import atexit
import contextlib
import os
import sys
import warnings
from importlib import import_module
from types import TracebackType

from setbench.bench.runner.processes import NAMES, PR_SET_CHILD_SUBREAPER, kill_descendants, prctl

with contextlib.suppress(OSError):
    os.setsid()
prctl(PR_SET_CHILD_SUBREAPER, 1)
warnings.filterwarnings("ignore", "forkserver: waitpid returned unexpected pid")  # of an orphan
for _name in os.environ.pop(NAMES, "").split():
    with contextlib.suppress(Exception, SystemExit):
        import_module(_name)


def _quiet_at_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The driver may be gone in the middle of asking for a process: nobody wants to read where."""
    if kind is not EOFError:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _quiet_at_the_end
atexit.register(kill_descendants)  # not in the cells, which end by os._exit
