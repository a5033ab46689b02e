"""`python -m kernelopt`."""

from __future__ import annotations

import sys

from kernelopt.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
