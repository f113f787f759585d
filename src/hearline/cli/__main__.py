"""`python -m hearline.cli` is `hearline`."""

import sys

from hearline.cli import main

sys.exit(main())
