#!/usr/bin/python3
"""drive CLIENT METHOD URL N: N logical requests at once, for clients of Python."""
import concurrent.futures
import sys

import urllib3

client, method, url, count = sys.argv[1:]
retry = urllib3.Retry(3, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504]) if client == "urllib3 Retry" else None
pool = urllib3.PoolManager(maxsize=int(count))


def one(_):
    try:
        pool.request(method, url, retries=retry, body=b"{}" if method == "POST" else None)
    except urllib3.exceptions.HTTPError:
        pass


with concurrent.futures.ThreadPoolExecutor(int(count)) as threads:
    list(threads.map(one, range(int(count))))
