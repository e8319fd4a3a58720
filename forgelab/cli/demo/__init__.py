"""`forgelab demo`: a homelab of virtual devices, an App Server on the best of them, and the proof that it works."""
