"""`dpor check` beside yamllint and check-jsonschema on the same files, taking turns, in one run.

The peers are installed into an environment of their own, `benchmarks/.peers`. yamllint looks at
style alone, check-jsonschema at the schema alone; neither looks at partners.

Usage: python benchmarks/check.py [ROUNDS]
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
PEERS = HERE / ".peers"
PACKAGES = ("yamllint==1.37.1", "check-jsonschema==0.35.0")
SIZES = (1, 100, 1000, 10_000)


def main(rounds: int) -> None:
    """Print the seconds and the peak memory of each command for each size."""
    if not PEERS.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        pip = (PEERS / "bin" / "pip", "install", "--quiet", *PACKAGES)
        subprocess.run(pip, check=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        schema = folder / "schema.json"
        schema.write_bytes(subprocess.check_output([BIN / "dpor", "schema"]))
        measure({"dpor --help": [str(BIN / "dpor"), "--help"]}, rounds)
        for size in SIZES:
            file = str(write(folder / f"{size}.yaml", size))
            print(f"{size} subscriptions")
            commands = {
                "dpor check": [str(BIN / "dpor"), "check", "--offline", file],
                "yamllint": [str(PEERS / "bin" / "yamllint"), "-d", "relaxed", file],
                "check-jsonschema": [
                    *(str(PEERS / "bin" / "check-jsonschema"), "--schemafile", str(schema), file)
                ],
            }
            measure(commands, rounds if size < 1000 else max(3, rounds // 5))


def write(file: Path, size: int) -> Path:
    """A declaration of that many subscriptions, in which nothing is to be found."""
    chance = random.Random(size)
    lines = ["version: 1", "partners:"]
    for key, number, name in (("contoso", 4567890, "Contoso"), ("fabrikam", 5127255, "Fabrikam")):
        agreement = "agreement: {reference: DSA-1}"
        lines.append(f'  {key}: {{id: "{number}", name: {name}, {agreement}}}')
    lines.append("subscriptions:")
    for number in range(size):
        lines.append(f"  - id: {uuid.UUID(int=chance.getrandbits(128), version=4)}")
        lines.append(f"    name: Subscription {number}")
        lines.append(f"    partner: {chance.choice(('contoso', 'fabrikam'))}")
    file.write_text("\n".join(lines) + "\n")
    return file


def measure(commands: dict[str, list[str]], rounds: int) -> None:
    """Run the commands in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    memory = dict.fromkeys(commands, 0)
    for _ in range(rounds):
        for name, command in commands.items():
            start = time.perf_counter()
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            seconds[name].append(time.perf_counter() - start)
            memory[name] = max(memory[name], usage.ru_maxrss)
            assert process.returncode == 0, command
    first = statistics.median(next(iter(seconds.values())))
    for name, each in seconds.items():
        median = statistics.median(each)
        print(
            f"  {name:17} {median:7.3f} s (from {min(each):.3f} to {max(each):.3f}),"
            f" {memory[name] // 1024:4} MiB, {median / first:5.2f} times the first"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
