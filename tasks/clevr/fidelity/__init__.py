"""How much our pictures are like CLEVR's: ``python -m setbench.tasks.clevr.fidelity --data DIR``."""
