"""What is wrong with hand-written NumPy, and why: one catalogue of mistakes behind `byhand check` and `byhand why`."""
