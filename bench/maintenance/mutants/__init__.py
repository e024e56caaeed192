"""Do the tests see bugs? ``python -m setbench.bench.maintenance.mutants``: planted ones by hand, and automatic ones."""
