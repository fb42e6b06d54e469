#!/bin/sh
# A machine that nobody prepares ends itself, and with it what it costs: when it has been awake for 60 minutes, each
# boot counting as one, whatever its clock says. Whoever prepares it masks the unit that runs this.
count=/var/lib/berth-unprepared
minutes=$(cat "$count" 2>/dev/null)
while [ "${minutes:-0}" -lt 60 ]; do
    minutes=$((minutes + 1))
    echo "$minutes" >"$count" # if the disk takes it; else it is counted till the next boot
    sleep 60
done
systemctl poweroff
