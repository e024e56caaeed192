"""Sentences about results, each with a rule over the records that must carry it: one that is not carried cannot be
printed."""
