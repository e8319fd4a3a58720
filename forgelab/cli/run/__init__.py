"""`forgelab run`: what ForgeLab did and is doing. One module for each verb."""
