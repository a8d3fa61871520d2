"""The list of the shutdown drills."""

from collections.abc import Sequence
from typing import Any

from drydock.drills.disruption import Disruption
from drydock.drills.disruptions.bad_release import BadRelease
from drydock.drills.disruptions.block_loop import BlockLoop
from drydock.drills.disruptions.db_outage import DbOutage
from drydock.drills.disruptions.db_restart import DbRestart
from drydock.drills.disruptions.delete_pod import DeletePod
from drydock.drills.disruptions.drain_node import DrainNode
from drydock.drills.disruptions.kill_hard import KillHard
from drydock.drills.disruptions.last_spans import LastSpans
from drydock.drills.disruptions.migrate import Migrate
from drydock.drills.disruptions.rollout import Rollout
from drydock.drills.disruptions.scale_in import ScaleIn
from drydock.drills.disruptions.slow_start import SlowStart

# The order of `drydock drill all`: the drills that change least come first.
DISRUPTIONS: Sequence[type[Disruption[Any]]] = (
    DeletePod,
    Rollout,
    ScaleIn,
    DrainNode,
    LastSpans,
    KillHard,
    SlowStart,
    BadRelease,
    BlockLoop,
    Migrate,
    DbRestart,
    DbOutage,
)
