#!/bin/sh
# One image, two uses.
#
#   docker run IMAGE targetsplit run ...      the launcher: any command is run as it stands
#   docker run IMAGE --worker_pool            a Beam worker: a runner starts the container with options only
#   docker run IMAGE --id=1 --provision_endpoint=...    (no command), which belong to Beam's boot program
#
# Without arguments, or with --help or --version, it answers as the command line does.
set -eu

case "${1-}" in
  "" | --help | -h | --version) exec targetsplit "${1:---help}" ;;
  -*) exec /opt/apache/beam/boot "$@" ;;
  *) exec "$@" ;;
esac
