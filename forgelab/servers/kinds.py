"""The kinds of run that servers have."""

PROVISION = "server.provision"
PLAN = "server.plan"
DECOMMISSION = "server.decommission"
