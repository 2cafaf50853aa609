"""A stand-in in a process of its own, and what another process may ask it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import requests

from azure_stand_in.example import NOBODY, OWNER_USER, PAYMENTS

TESTS = Path(__file__).parent.parent
TAGS = f"{PAYMENTS.scope}/providers/Microsoft.Resources/tags/default"


def test_runs_by_itself_and_tells_what_happened() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "azure_stand_in", "azure_stand_in.example:estate"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        admin = f"{url}/_stand_in"
        token = requests.get(f"{admin}/tokens/{OWNER_USER.id}", timeout=30).json()["token"]
        fault = {
            "method": "PATCH",
            "path": "/tags/default$",
            "calls": [1],
            "action": "Respond",
            "with": {"status": 503, "headers": {"Retry-After": "0"}},
        }
        assert requests.post(f"{admin}/faults", json=fault, timeout=30).status_code == 201
        assert (
            requests.post(f"{admin}/faults", json={"action": "Oops"}, timeout=30).status_code == 400
        )
        statuses = [
            requests.patch(
                url + TAGS,
                params={"api-version": "2021-04-01"},
                headers={
                    "Authorization": f"Bearer {token}",
                    "x-ms-correlation-request-id": "11111111-2222-3333-4444-555555555555",
                },
                json={"operation": "Merge", "properties": {"tags": {"a": "b"}}},
                timeout=30,
            ).status_code
            for _ in range(2)
        ]
        assert statuses == [503, 200]
        (write,) = requests.get(f"{admin}/writes", timeout=30).json()
        assert (write["principal"], write["method"], write["path"]) == (
            OWNER_USER.id,
            "PATCH",
            TAGS,
        )
        assert write["correlation_id"] == "11111111-2222-3333-4444-555555555555"
        counts = requests.get(f"{admin}/requests", timeout=30).json()
        assert [(each["status"], each["count"]) for each in counts] == [(200, 1)]
        assert requests.delete(f"{admin}/faults", timeout=30).status_code == 200
        assert requests.get(f"{admin}/tokens/{NOBODY.id[:-1]}", timeout=30).status_code == 404
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
