"""Notebook 4: recipes at an equal budget, published networks, classifiers as a measure."""
