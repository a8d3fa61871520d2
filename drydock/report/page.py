"""The template environment of the pages."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

FILE = "report.html"
# A misspelt name raises an error instead of leaving a gap.
TEMPLATES = Environment(
    loader=PackageLoader("drydock.report"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
