"""Speed and memory of the package beside what else its users might run."""
