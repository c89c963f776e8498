"""Exit with 0 if the web process on this machine's PORT is ready, else with 1 and the reason.

A container's health check: an image has Python, but no curl.
"""

from __future__ import annotations

import os
import sys
import urllib.request


def main() -> int:
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz"
    try:
        urllib.request.urlopen(address, timeout=4).close()
    except OSError as error:
        print(f"{address}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
