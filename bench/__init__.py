"""The harness: ``from bench import run; records = run(tasks=["clevr_state"])``."""

from bench.driver import run

__all__ = ["run"]
