"""What the desk keeps: the journal and the calibration of its agents."""
