"""Health check of HTTP containers: exit 0 if the URL given answers 2xx within two seconds."""

import sys
from urllib.request import urlopen

with urlopen(sys.argv[1], timeout=2):
    pass  # an error status or a timeout raises, and the exit code is 1
