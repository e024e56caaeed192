"""The harness: ``from bench import run; records = run(tasks=["clevr_state"])``."""

from setbench.bench.runner.driver import run

__all__ = ["run"]
