#!/bin/sh
# A git that outlives its caller, as on a system without a death signal: it has all its input, and comes late.
real=$1 moment=$2
shift 2
input=$(mktemp)
cat > "$input"
if [ "$moment" = after ]; then
    "$real" "$@" < "$input"
fi
kill -9 "$PPID"
sleep 0.03
"$real" "$@" < "$input"
rm "$input"
