"""What the desk keeps: the journal, outcomes, the calibration of its agents and the lessons that they left."""
