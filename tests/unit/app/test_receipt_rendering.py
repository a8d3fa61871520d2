"""A receipt is a valid PDF that lists the sale. Rendering is deterministic."""

import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from app.receipts.rendering import render
from app.receipts.sale import Sale, SoldLine

ROOT = Path(__file__).parents[3]
SALE = Sale(
    4711,
    datetime(2026, 11, 24, 17, 0, 5, tzinfo=UTC),
    (SoldLine("Sextant", 1, 18900), SoldLine("Sea chart", 3, 2150)),
)
AGAIN = """
import hashlib
from tests.unit.app.test_receipt_rendering import SALE, render
print(hashlib.sha256(render(SALE)).hexdigest())
"""


def text(document: bytes) -> str:
    """The text of the only page. pypdf raises an exception if the document is invalid."""
    reader = PdfReader(io.BytesIO(document), strict=True)
    (page,) = reader.pages
    return page.extract_text()


def test_a_receipt_names_the_order_each_line_and_the_total() -> None:
    receipt = text(render(SALE))
    for expected in ("Receipt 4711", "2026-11-24 17:00:05 UTC", "Sextant", "1 x 189.00", "3 x 21.50", "Total 253.50"):
        assert expected in receipt


def test_the_same_sale_gives_the_same_bytes_in_another_process_too() -> None:
    def digest() -> str:
        done = subprocess.run([sys.executable, "-c", AGAIN], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout

    assert render(SALE) == render(SALE)
    assert digest() == digest()


def test_another_sale_gives_another_document() -> None:
    assert render(SALE) != render(SALE._replace(order_id=4712))


def test_the_largest_order_fits_on_the_page() -> None:
    lines = tuple(SoldLine(f"Product {number} " + "x" * 200, 1000, 2**31 - 1) for number in range(1, 51))
    receipt = text(render(SALE._replace(lines=lines)))
    assert "Product 1 " in receipt
    assert "Product 50 " in receipt
    assert "Total 1073741823500.00" in receipt


@pytest.mark.parametrize("name", ["Öljacke für 3 €", "海図", "🧭", "\x01\x7f", "a\u202eb", "<b>&amp;", "\ud7ff\ue000"])
def test_every_valid_product_name_can_be_rendered(name: str) -> None:
    assert text(render(SALE._replace(lines=(SoldLine(name, 1, 1),))))


def test_letters_of_latin_scripts_appear_in_the_document() -> None:
    assert "Öljacke für 3 €" in text(render(SALE._replace(lines=(SoldLine("Öljacke für 3 €", 1, 1),))))


def test_an_invalid_sale_raises_an_error() -> None:
    with pytest.raises(TypeError):
        render(SALE._replace(lines=(SoldLine(None, 1, 1),)))  # type: ignore[arg-type]


def test_a_rendering_process_does_not_import_the_service() -> None:
    code = "import sys; import app.receipts.renderer; print('asyncpg' in sys.modules, 'fastapi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
