"""A program with redis-py in Sentinel mode, set as the guide says; it writes and tells as `writing.ts` does. Arguments: a name, the ports."""

import json
import sys
import threading
import time

try:
    from redis.exceptions import RedisError
    from redis.sentinel import Sentinel
except ImportError:
    sys.exit("python3-redis is missing: tools/setup/programs.sh installs it")

NAME, PORTS = sys.argv[1], sys.argv[2:]

sentinel = Sentinel(
    [("127.0.0.1", int(port)) for port in PORTS],
    sentinel_kwargs={"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
)
redis = sentinel.master_for("sluice", socket_timeout=1.0, socket_connect_timeout=1.0)

marks = []


def read_marks():
    for line in sys.stdin:
        marks.append((line.strip(), time.monotonic()))


threading.Thread(target=read_marks, daemon=True).start()
count, errors, longest, last = 0, 0, 0.0, time.monotonic()
while True:
    begun, key = time.monotonic(), f"{NAME}:{count}"
    try:
        redis.set(key, key)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        while marks and marks[0][1] <= begun:
            event, _ = marks.pop(0)
            told = {"event": event, "key": key, "errors": errors, "gapMillis": round(longest * 1000)}
            print(json.dumps(told), flush=True)
            errors, longest = 0, 0.0
    except RedisError as error:
        errors += 1
        print(repr(error), file=sys.stderr, flush=True)
        time.sleep(0.01)
    count += 1
    time.sleep(0.002)
