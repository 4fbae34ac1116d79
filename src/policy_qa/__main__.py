"""`python -m policy_qa`."""

import sys

from policy_qa.cli import main

sys.exit(main())
