"""The command line with words that a client of the studio sent, in a process of its own.

    python -m gansmith.serve.asked train DATA --gan NAME ...

They are no word of the user who started the studio: Python files that they name do not run.
"""

import sys
from pathlib import Path

from gansmith.cli import main
from gansmith.data.programs import named_in

REQUEST = Path("the request")
"""What names programs, for sentences."""

if __name__ == "__main__":
    with named_in(REQUEST):
        sys.exit(main(sys.argv[1:]))
