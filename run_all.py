"""Compare permutation-invariant architectures: plan, run and report. ``python run_all.py --help`` says how."""

from setbench.bench.runner.command import entry

if __name__ == "__main__":
    entry()
