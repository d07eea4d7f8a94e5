"""The debate about the analysts' claims: points, who may make which, what they come to."""
