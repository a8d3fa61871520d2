"""drydock/ knows the service only through drydock.toml: no name of the sample service stands in its sources.

The names are read from drydock.toml, so that they stay true when the sample changes.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from drydock.core.project import Configuration, Project

ROOT = Path(__file__).parents[2]


def names(configuration: Configuration) -> set[str]:
    """Every name in drydock.toml that is the sample's: of objects, routes, variables, headers, loggers and triggers."""
    workload, judge, drills = configuration.workload, configuration.judge, configuration.drills
    found = {workload.namespace, workload.deployment, workload.container, workload.service, configuration.audit.pod}
    found |= {segment for path in routes(configuration) for segment in path.split("/") if segment.isalpha()}
    shutdown, connections = configuration.shutdown, configuration.connections
    found |= {*shutdown.drain, *shutdown.graceful, *shutdown.close, connections.variable, connections.pool_variable}
    found |= {*configuration.local.environment, drills.scale.faults_variable, drills.scale.scaled_object}
    found |= {*configuration.audit.violations, *configuration.audit.figures}
    if judge.served_by_header:
        found.add(judge.served_by_header)
    if workload.lifecycle:
        found.add(workload.lifecycle.logger)
    return found


def routes(configuration: Configuration) -> Iterator[str]:
    """The sample's routes, without those of the probes."""
    judge, drills = configuration.judge, configuration.drills
    yield from (request.route for request in judge.requests)
    yield from (judge.prepare.route, drills.scale.route)
    if drills.disruptions.block_loop:
        yield drills.disruptions.block_loop.path


def sources() -> Iterator[tuple[str, str]]:
    """Every text of drydock/: modules and templates."""
    for path in sorted((ROOT / "drydock").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in {".py", ".j2"}:
            yield name, path.read_text()


def found(words: set[str], text: str) -> set[str]:
    """The words that stand in a text as words of their own, in small or capital letters."""
    return {word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)}


def test_no_name_of_the_sample_service_stands_in_drydock() -> None:
    words = names(Project.find(ROOT).configuration)
    standing = {(path, word) for path, text in sources() for word in found(words, text)}

    assert not standing, "take it from drydock.toml (drydock/core/project.py)"


def test_the_names_are_those_that_somebody_would_write_into_the_tool() -> None:
    words = names(Project.find(ROOT).configuration)

    assert words >= {"shop", "postgres-0", "orders", "faults", "DRAIN_SECONDS", "X-Served-By", "app.lifecycle"}


def test_a_name_is_found_as_a_word_and_not_as_a_part_of_one() -> None:
    words = {"shop", "X-Served-By"}

    assert found(words, 'path = "k8s/base/shop/deployment.yaml"') == {"shop"}
    assert found(words, 'HEADER = b"x-served-by"') == {"X-Served-By"}
    assert found(words, "axisBorderShow, workshop") == set()
