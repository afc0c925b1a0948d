"""Notebook 5: ablations, seeds, scaling, calibration, failures and near-duplicates."""
