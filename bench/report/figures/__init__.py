"""The figures. seaborn and matplotlib are slow to import: only the functions that draw import these modules."""
