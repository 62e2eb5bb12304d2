"""What watches an environment: metrics, alerts, logs, traces, dashboards.

Nothing is imported here: other rooms take `Alert` and `Target` from this one, and this one takes much from them.
"""
