"""How much our pictures are like CLEVR's: ``python -m tasks.clevr.fidelity --data DIR``."""
