#!/bin/sh
# FILE with the last start and its wait -> a wait of 0 s, then 1, 3, 7 ... 31 s, while each start follows within
# a minute of the one before. Run before each start of a service that restarts always, after a second.
set -eu
file=$1

started=0 wait=0
if [ -s "$file" ]; then # empty: it was killed while it wrote, or the disk was full
    read -r started wait <"$file"
fi

if [ $(($(date +%s) - started)) -ge 60 ]; then
    wait=0
else
    wait=$((wait * 2 + 1))
    [ "$wait" -le 31 ] || wait=31
fi

sleep "$wait"
echo "$(date +%s) $wait" >"$file"
