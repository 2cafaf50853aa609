"""Print the installed packages that carry a pulumi-plugin.json, as JSON.

The language host runs this text with the Python of the program's virtual environment. It looks
through the folders on the search path rather than through the lists of installed files, which is
faster and finds packages that are installed for editing too.
"""

import json
import sys
from importlib import metadata
from pathlib import Path


def main() -> None:
    """Print a list of {"file": ..., "version": ...}."""
    files = {
        file.resolve(): file.parent.name
        for folder in dict.fromkeys(sys.path)
        if folder and Path(folder).is_dir()
        for file in sorted(Path(folder).glob("*/pulumi-plugin.json"))
    }
    owners = metadata.packages_distributions() if files else {}
    found = []
    for file, package in files.items():
        distributions = owners.get(package)
        version = metadata.version(distributions[0]) if distributions else ""
        found.append({"file": str(file), "version": version})
    print(json.dumps(found))


main()
