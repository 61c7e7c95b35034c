"""What a finished model says, how sure it is, and how good that is: metrics, calibration, intervals, explanations."""
