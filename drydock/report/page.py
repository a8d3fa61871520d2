"""What every page of a run is made with."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

FILE = "report.html"
# A misspelt name is an error, not an empty place.
TEMPLATES = Environment(
    loader=PackageLoader("drydock.report"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
