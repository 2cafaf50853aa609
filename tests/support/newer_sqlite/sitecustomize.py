"""Has Python use the SQLite that pysqlite3 brings, in which a write-ahead log is safe.

Python runs a module of this name when it starts, if its folder is on the path.
"""

import sys
from importlib import import_module

for name in ("", ".dbapi2"):
    sys.modules[f"sqlite3{name}"] = import_module(f"pysqlite3{name}")
