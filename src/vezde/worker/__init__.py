"""The worker's face: a process that runs the stages it is given until it is told to stop."""
