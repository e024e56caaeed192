"""What few seeds can say: intervals, comparisons with the best row, ranks over tasks. Numbers in, numbers out."""
