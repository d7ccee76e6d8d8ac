// Package deploy holds no code: beside it lie the files that operators start from (container image, compose file, systemd unit, Helm chart, Prometheus rules, Grafana
// dashboard). Its test holds them against what the server has: its flags, its metrics, and the chart's own schema.
package deploy
