"""Which activation converges the fastest? Thousands of small networks at once, and an answer with its uncertainty."""
