"""The Grafana dashboards: files in git are their home, Grafana is where they are looked at and tuned."""
