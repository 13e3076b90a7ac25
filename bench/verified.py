"""Packages a digest of the recorded results, which `gansmith list gans` shows.

python bench/verified.py
"""

import json
from pathlib import Path

from gansmith.verified import PLACE, digest

RESULTS = Path(__file__).parent / "results"
BENCHES = ("handwriting.json", "synthesis.json")


def main() -> None:
    """Writes gansmith/gans/verified.json from the benches that have been recorded."""
    benches = [json.loads((RESULTS / name).read_text(encoding="utf-8")) for name in BENCHES if (RESULTS / name).exists()]
    PLACE.write_text(json.dumps(digest(benches), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
