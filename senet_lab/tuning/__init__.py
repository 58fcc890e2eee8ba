"""Optuna's part: what a study asks for next, which settings matter, and the study for `optuna-dashboard`.

Only this room imports optuna.
"""
