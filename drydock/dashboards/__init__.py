"""The Grafana dashboards: kept as files in git, viewed and tuned in Grafana."""
