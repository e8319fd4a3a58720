"""`forgelab user`: people who may log in. One module for each verb."""
