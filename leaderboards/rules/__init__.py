"""What boards promise, as pure functions: how scores are read and weighed, what a rank is, when a period ends."""
