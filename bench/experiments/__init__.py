"""What theory says must show: small experiments beside the benchmark, each a study of one file.

``python -m setbench.bench.experiments.NAME --out results/experiments`` writes ``results/experiments/NAME/``:
README.md, figure.png, runs.csv (a row a measure) and lines.jsonl (a line a run, by which an interrupted one goes on).
``--dry-run`` says how many minutes it would take, ``--scale 0.01`` tries it on little.

- ``janossy_k``: k = 1 to N at one depth, accuracy against cost.
- ``variance_pairs``: the variance is a mean over pairs; what k = 1, 2, 3 make of it with a linear rho and with an MLP.
- ``interaction_order``: labels that need M elements at once, against k and against depth.
- ``median_latent``: how large a latent must Deep Sets have for the median of N numbers?
- ``multisets``: copies of elements: mean against sum, Chamfer against Hungarian.
- ``size_shift``: trained on 5 to 10 elements, tested on up to 100.
- ``chunks``: a set that is read in pieces.
- ``pisgd_draws``: the error of pi-SGD's mean falls as 1/sqrt(p) in the number of draws.
- ``spread_auroc``: does pi-SGD's spread over permutations rank its errors?
- ``invariance_accuracy``: what averaging over orders gives, beside the same networks on sorted sets.
- ``picture_ceiling``: the codes of pictures beside those of true sets, under both frozen encoders.
- ``dspn_start``: DSPN with a start made by an MLP, and with a threshold to stop at.

The frame is ``study`` (grid, rates, lines), ``command``, ``page``, ``intervals`` and ``look``; ``training``,
``numbers_of_sets`` and ``pieces`` are what several of them need. Unlike the harness, these name the architectures and
tasks that they are about.
"""
