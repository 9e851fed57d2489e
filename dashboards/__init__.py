"""Dashboards and rules, told in Python and committed as what Grafana and Prometheus read.

`python -m dashboards` writes collector-config/grafana/dashboards/*.json and
collector-config/prometheus/rules/*.yml. Not part of the package.
"""
