"""Which device suits best: a score from 0 to 100 that explains itself, for one server or a whole set. Pure."""

from forgelab.devices.placement.model import Candidate, Needs, Rare, Tenant, cores, gb
from forgelab.devices.placement.policy import Policy, policy, shipped_policy
from forgelab.devices.placement.request import Constraint, Wanted
from forgelab.devices.placement.score import Score, rank, score
from forgelab.devices.placement.sets import Choice, Missing, Placement, place_set

__all__ = [
    "Candidate", "Choice", "Constraint", "Missing", "Needs", "Placement", "Policy", "Rare", "Score", "Tenant", "Wanted",
    "cores", "gb", "place_set", "policy", "rank", "score", "shipped_policy",
]  # fmt: skip
