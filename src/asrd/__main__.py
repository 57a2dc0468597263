"""`python -m asrd`, which is `asrd`."""

from asrd.cli.entry import main

main()
