"""The answer of `byhand why`: the script is run and judged, mended and run again, and what was found is told."""
