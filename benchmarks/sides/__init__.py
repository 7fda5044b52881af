"""What the timed comparisons share: sides that take turns, results and where they go, the targets."""
