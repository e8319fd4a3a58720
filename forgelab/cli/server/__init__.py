"""`forgelab server`: what runs on the devices. One module for each verb."""
