"""The judge's log: ticks while it runs, then its account and the records."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from drydock.core.errors import CannotRunError, FailedError
from drydock.judge_client import start_delay
from drydock.judge_client.progress_sample import ProgressSample
from drydock.requests import records
from drydock.system.processes import last_lines

type Line = dict[str, Any]


def lines(text: Iterable[str]) -> Iterator[Line]:
    """The lines that are meant for programs."""
    for line in text:
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue


def follow(output: Iterable[Line], on_sample: Callable[[ProgressSample], None]) -> bool:
    """Calls `on_sample` for each sample until the end of the judge. False if the log breaks off earlier.

    Raises:
        CannotRunError: the judge reports that it could not run.
    """
    for line in output:
        if "sample" in line:
            on_sample(ProgressSample.parse(line["sample"]))
        elif "ended" in line:
            if line["ended"]:
                raise CannotRunError(f"the judge could not run: {line.get('reason', '')}", "drydock status")
            return True
    return False


def collect(text: str, folder: Path) -> None:
    """Writes requests.csv.gz and judge.json.

    Raises:
        FailedError: the log is not whole; the reason carries its end.
    """
    output = list(lines(text.splitlines()))
    summary = next((line["summary"] for line in output if "summary" in line), None)
    counted = next((line["counted"] for line in output if "counted" in line), None)
    if summary is None or counted is None:
        raise FailedError(f"the summary of the judge is incomplete:\n{last_lines(text, 5)[:2000]}")
    try:
        packed = b"".join(base64.b64decode(line["records"], validate=True) for line in output if "records" in line)
    except binascii.Error as error:
        raise FailedError(f"the judge's records are broken: {error}") from error
    path = folder / records.FILE
    path.write_bytes(packed)
    try:
        found = len(records.read(path))
    except records.DamagedRecordsError as error:
        raise FailedError(f"the judge's records are damaged: {error}") from error
    if not found == counted == summary["sent"]:
        reason = f"the judge sent {summary['sent']} requests and counted {counted}; its log holds {found}"
        raise FailedError(reason)
    (folder / start_delay.FILE).write_text(json.dumps(summary, indent=2) + "\n")
