#!/bin/sh
# Runs the KCP rows on a link with 5 % loss and a round trip of 50 ms, in a network namespace of its own: sh bench/netem.sh [OPTIONS of bench].
# Needs unshare, ip, tc, and a kernel with netem (sch_netem).
set -e
cd "$(dirname "$0")/.."
if [ "$1" != --inside ]; then
  node scripts/setup.mjs
  exec unshare --map-root-user --net sh bench/netem.sh --inside "$@"
fi
shift
ip link set lo up
# Both directions of a round trip pass the loopback device.
tc qdisc add dev lo root netem delay 25ms loss 5% limit 10000 || { echo 'this kernel has no netem: nothing was measured' >&2; exit 1; }
exec node --import tsx bench/run.ts --only kcp "$@"
