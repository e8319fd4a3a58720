"""`forgelab token`: keys to the API. One module for each verb."""
