#!/usr/bin/env bash
# Try a cluster on one computer: three Ray nodes of one processor each, and what they need to know.
#
#   docs/try-cluster.sh start [DASHBOARD_PORT]   prints what to set before `cnnlab ... --on ray`
#   docs/try-cluster.sh stop
#
# The dashboard answers on this computer alone. Ray's other ports listen on all its addresses, as on any cluster;
# a token, made anew each time, keeps strangers from using them.
set -euo pipefail

here="$(cd "$(dirname "$0")/.." && pwd)"
python="${PYTHON:-$here/.venv/bin/python}"
folder="${TMPDIR:-/tmp}/cnnlab-ray-$(id -u)"
gcs="${GCS_PORT:-6399}"

stop() {
  # only this cluster's: its folder stands in the command lines of its processes
  pkill -KILL -u "$(id -u)" -f "$folder/session_" || true
  rm -rf "$folder"
}

start() {
  dashboard="${1:-8265}"
  [ -e "$folder" ] && { echo "$folder is there: stop the other one first" >&2; exit 1; }
  "$python" -c 'import ray' 2>/dev/null || { echo "Ray is missing: pip install -r requirements-cluster.txt" >&2; exit 1; }
  mkdir -p -m 700 "$folder"
  "$python" -c 'import secrets; print(secrets.token_hex(32))' > "$folder/token"
  chmod 600 "$folder/token"
  export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$folder/token" RAY_USAGE_STATS_ENABLED=0
  small=(--num-cpus 1 --object-store-memory 80000000 --disable-usage-stats)
  ray=("$python" -m ray.scripts.scripts)
  free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'; }
  "${ray[@]}" start --head --port "$gcs" --dashboard-host 127.0.0.1 --dashboard-port "$dashboard" \
    --dashboard-agent-listen-port "$(free_port)" --temp-dir "$folder" "${small[@]}" > "$folder/start.log" 2>&1 || { cat "$folder/start.log" >&2; exit 1; }
  for _ in 2 3; do
    "${ray[@]}" start --address "127.0.0.1:$gcs" --dashboard-agent-listen-port "$(free_port)" "${small[@]}" >> "$folder/start.log" 2>&1
  done
  echo "export CNNLAB_RAY=http://127.0.0.1:$dashboard RAY_AUTH_TOKEN_PATH=$folder/token"
}

case "${1:-}" in
  start) start "${2:-}" ;;
  stop) stop ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
