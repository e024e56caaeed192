"""Records in, leaderboard out: Markdown, CSV, figures and one HTML page. Imports no torch.

``write_report(records, directory)`` writes the files; ``summary(records)`` is the last word of a run.
"""

from setbench.bench.report.terminal import summary
from setbench.bench.report.write import write_report

__all__ = ["summary", "write_report"]
