"""A drill's report puts production's timings beside its own: they are read from the manifests."""

from drydock.cluster.platform import KindPlatform
from drydock.core.project import Project
from drydock.drills import scale_configuration


def test_production_waits_longer_than_a_drill_does() -> None:
    project = Project.find()

    production = scale_configuration.production(KindPlatform(project), project.configuration.drills.scale.scaled_object)

    assert production["scaleDown stabilization"] == "300 s"
