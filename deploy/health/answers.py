"""Exit 0 when the URL given answers 2xx within two seconds: the health check of HTTP containers."""

import sys
from urllib.request import urlopen

with urlopen(sys.argv[1], timeout=2):
    pass  # an error status or a timeout raises, and the exit code is 1
