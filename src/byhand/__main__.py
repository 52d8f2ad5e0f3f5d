"""``python -m byhand`` is the command `byhand`."""

from byhand.cli import main

main()
