"""What theory says must show: small experiments beside the benchmark, each a script.

``python -m setbench.bench.experiments.NAME`` writes ``results/experiments/NAME/``: runs.csv, README.md and figure.png.

- ``pisgd_draws``: the error of pi-SGD's mean falls as 1/sqrt(p) in the number of draws.
- ``median_latent``: how large a latent must Deep Sets have for the median of N numbers?
- ``variance_pairs``: the variance is a mean over pairs, so Janossy pooling needs k = 2, not 1.
- ``spread_auroc``: does pi-SGD's spread over permutations rank its errors?

Unlike the harness, these name the architectures and tasks that they are about.
"""
