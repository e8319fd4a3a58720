"""`forgelab device`: the machines of the homelab. One module for each verb."""
