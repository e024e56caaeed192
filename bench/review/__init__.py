"""Can these committed results be believed? ``--check DIR`` goes through a results folder as a reviewer would."""
