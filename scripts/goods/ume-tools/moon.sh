#!/bin/sh
# Tells the phase of the moon for today, from the new moon of 2000-01-06 18:14 UTC and a mean month of 29.530588 days.
now=$(date -u +%s)
awk -v now="$now" 'BEGIN {
  age = (now - 947182440) / 86400
  age = age - 29.530588 * int(age / 29.530588)
  split("new moon,waxing crescent,first quarter,waxing gibbous,full moon,waning gibbous,last quarter,waning crescent", name, ",")
  phase = int(age / 29.530588 * 8 + 0.5) % 8 + 1
  printf "The moon is %.1f days old: %s.\n", age, name[phase]
}'
