"""A verdict as JUnit XML. CI systems show it check by check."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from drydock.runs.verdict import Check, Result, Verdict

FILE = "junit.xml"


def junit(verdict: Verdict, seconds: float) -> str:
    """The XML of a verdict on a run that took `seconds`."""
    suite = Element(
        "testsuite",
        name=f"drydock.{verdict.kind}.{verdict.name}",
        tests=str(len(verdict.checks)),
        failures=str(len(verdict.failed)),
        errors=str(len(verdict.unknown)),
        time=f"{seconds:.1f}",
    )
    for check in verdict.checks:
        _case(suite, suite.get("name", ""), check)
    SubElement(suite, "system-out").text = "\n".join([verdict.summary, *verdict.warnings])
    suites = Element("testsuites")
    suites.append(suite)
    indent(suites)
    return tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: Element, class_name: str, check: Check) -> None:
    case = SubElement(suite, "testcase", classname=class_name, name=check.name)
    text = f"expected {check.expected}, observed {check.observed}"
    if check.result is Result.FAILED:
        SubElement(case, "failure", message=text, type="objective")
    elif check.result is Result.UNKNOWN:
        SubElement(case, "error", message=text, type="not observed")
    SubElement(case, "system-out").text = text
