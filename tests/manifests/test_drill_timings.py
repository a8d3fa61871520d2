"""A drill's report compares its timings with production's, which it reads from the manifests."""

from drydock.cluster.platform import KindPlatform
from drydock.core.project import Project
from drydock.drills import scale_configuration


def test_production_waits_longer_than_a_drill_does() -> None:
    project = Project.find()

    production = scale_configuration.production(KindPlatform(project), project.configuration.drills.scale.scaled_object)

    assert production["scaleDown stabilization"] == "300 s"
