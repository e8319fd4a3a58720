"""`forgelab recipes`: the server types there are. One module for each verb."""
