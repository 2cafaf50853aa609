"""Write the rules' pages and the README's table from the rules."""

from __future__ import annotations

from pathlib import Path

from dpor_provider.rules import all_rules
from dpor_provider.rules.page import page, table

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "rules"
README = ROOT / "README.md"
BEGIN, END = "<!-- rules: written by make docs -->\n", "<!-- end of rules -->\n"


def pages() -> dict[Path, str]:
    """Each file's content as it must be."""
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    readme = f"{before}{BEGIN}{table(all_rules().values())}{END}{after}"
    return {
        **{PAGES / f"{rule.id}.md": page(rule) for rule in all_rules().values()},
        README: readme,
    }


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, "utf-8")
