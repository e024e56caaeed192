"""Critical-difference diagram: mean ranks, with a bar over encoders that cannot be told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scikit_posthocs
from matplotlib.figure import Figure

from setbench.bench.report.figures.style import INK, colour, new_figure, plain, plot_style
from setbench.bench.report.standing import Standing


def ranks_figure(standing: Standing) -> Figure:
    """After Demšar (2006), by scikit-posthocs. Bars join encoders of which no two are told apart."""
    found = standing.means
    names = [plain(name, 80) for name in standing.encoders]  # as keys, so not cut to the same
    apart = pd.DataFrame(np.where(found.told, 0.0, 1.0), index=names, columns=names)
    with plot_style():
        figure = new_figure(10, 1.8 + 0.13 * len(names))
        axes = figure.subplots()
        scikit_posthocs.critical_difference_diagram(
            dict(zip(names, found.mean, strict=True)),
            apart,
            ax=axes,
            color_palette=dict(zip(names, map(colour, standing.paradigms), strict=True)),
            label_fmt_left="{label} ({rank:.3g})",
            label_fmt_right="({rank:.3g}) {label}",
            label_props={"fontsize": 9},
            elbow_props={"linewidth": 1},
            text_h_margin=0.03 * len(names),
        )
        for text in axes.texts:  # some of the colours are too pale to read
            text.set_color(INK)
        axes.grid(visible=False)
        axes.set_title(f"Mean rank over {len(standing.families)} blocks of tasks; 1 is best", pad=24)
    return figure
