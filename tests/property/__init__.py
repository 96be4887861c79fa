"""Rules that hold for all inputs."""
