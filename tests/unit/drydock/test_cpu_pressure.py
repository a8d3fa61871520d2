"""The pressure on the CPUs of this machine, by the kernel's own account."""

from pathlib import Path

import pytest

from drydock.system.cpu_pressure import CpuPressure, CpuPressureRecorder, stalled_seconds
from tests.polling import poll_until

SHARES = CpuPressure(((10.0, 0.2), (11.0, 0.4), (12.0, 0.9)))


def psi(path: Path, microseconds: int) -> Path:
    some = f"some avg10=1.00 avg60=1.00 avg300=1.00 total={microseconds}\n"
    written = path.with_suffix(".new")
    written.write_text(some + "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n")
    return written.rename(path)  # the recorder never reads half a file


def test_it_reads_the_time_in_which_some_task_waited(tmp_path: Path) -> None:
    assert stalled_seconds(psi(tmp_path / "cpu", 2_500_000)) == 2.5


@pytest.mark.parametrize("content", ["", "some avg10=1.00\n", "full total=3\n"])
def test_another_format_is_no_observation(tmp_path: Path, content: str) -> None:
    (tmp_path / "cpu").write_text(content)

    assert stalled_seconds(tmp_path / "cpu") is None
    assert stalled_seconds(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("began", "ended", "mean"), [(10, 10, 0.3), (11.5, 20, 0.9), (9, 8, None), (13.5, 20, None), (0, 99, 0.5)]
)
def test_the_mean_between_two_times(began: float, ended: float, mean: float | None) -> None:
    assert SHARES.between(began, ended) == (pytest.approx(mean) if mean is not None else None)


def test_it_records_the_share_of_each_interval(tmp_path: Path) -> None:
    source = psi(tmp_path / "cpu", 0)
    with CpuPressureRecorder(source, interval=0.01) as recorder:
        poll_until(lambda: recorder.pressure.shares, "a first share")
        psi(source, 60_000_000)
        poll_until(lambda: max(share for _, share in recorder.pressure.shares) > 0, "the pressure to be seen")

    assert {share for _, share in recorder.pressure.shares} == {0.0, 1.0}, "a minute in 10 ms counts as the whole of it"


def test_without_psi_nothing_is_observed(tmp_path: Path) -> None:
    with CpuPressureRecorder(tmp_path / "missing", interval=0.01) as recorder:
        pass

    assert recorder.pressure.between(0, float("inf")) is None
