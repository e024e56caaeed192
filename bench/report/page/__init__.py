"""leaderboard.html: numbers in one file, which tables, plots and pictures are made from where it is read.

``render.page`` writes it. ``columns``, ``data``, ``answer`` and ``drawings`` say what it holds, as plain numbers and
texts; ``static`` writes the tables, which can be read without JavaScript; ``*.html``, page.css and ``*.js`` are the
rest.
"""
