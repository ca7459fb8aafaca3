"""rules: the two rule files between which the soak changes each second. Together they have every fault; most rules are in both,
with the same text or with another, and some in one alone."""

TOP = """\
seed: 42
workers: 2
admin: {{address: 127.0.0.1:0}}
log: {{access: '{folder}/access.log', format: json, trace: '{folder}/trace.jsonl'}}
limits: {{header_timeout: 2s, idle_timeout: {idle}, max_connections: 2000, drain: 5s}}
exclude: [/polite/**]
header_control: {{enabled: true, allow: [abort, delay, rule], max_delay: 1s}}
safety: {{max_active_faults: 500}}
listeners:
  - name: public
    address: 127.0.0.1:0
    routes:
      - {{match: {{path: [/status/**, /delay/**, /drip, /headers]}}, upstream: embedded}}
      - {{match: {{path: /gone/**}}, upstream: gone}}
      - {{match: {{path: /full/**}}, upstream: full}}
      - {{match: {{path: /few/**}}, upstream: few}}
      - {{match: {{path: /polite/**}}, upstream: calm}}
      - {{upstream: odd}}
upstreams:
  embedded: 'origin:'
  gone: 'http://127.0.0.1:1'
  full: {{url: 'http://127.0.0.1:{full}', connect_timeout: 300ms}}
  few: {{url: 'http://127.0.0.1:{odd}', max_connections: 2, keepalive: 1, response_timeout: 1s}}
  calm: 'http://127.0.0.1:{calm}'
  odd: {{url: 'http://localhost:{odd}', response_timeout: 1s, idle_timeout: 1s, keepalive: {keepalive}}}
expect: {{attempts: {{max: 1000000}}}}
rules:
"""

# What fires leaves enough to the rules behind it: each has a few of a hundred requests.
SHARED = """\
  - {name: told, match: {path: /told/**}, key: client, percentage: 50, abort: {status: 503, retry_after: 1s..3s, enforce: true}}
  - {name: hung, percentage: 1, max_active_faults: 20, hang: {max: 2s}}
  - {name: closed, percentage: 1, connection: close}
  - {name: cut, percentage: 1, connection: reset}
  - {name: refused, percentage: 0.2, connection: refuse}
  - {name: line, percentage: 0.5, malformed: status_line}
  - {name: field, percentage: 0.5, malformed: header}
  - {name: length, percentage: 0.5, malformed: content_length}
  - {name: chunk, percentage: 0.5, malformed: chunk}
  - {name: early, percentage: 0.5, malformed: early_eof}
  - {name: old, percentage: 0.5, malformed: http09}
  - {name: half, percentage: 2, truncate: {after: 50%}}
  - {name: cut-off, percentage: 2, truncate: {after: 100B, reset: true}}
  - {name: rot, percentage: 3, corrupt: {bytes: 3}}
  - {name: hints, percentage: 3, early_hints: {headers: {link: ["</a>; rel=preload", "</b>; rel=preload"]}}}
  - {name: other-path, percentage: 2, request: {path: /echo/other, headers: {set: {x-soak: "1"}, remove: [cookie]}}}
  - {name: lost, phase: response, percentage: 1, connection: reset}
  - {name: refused-later, phase: response, percentage: 2, abort: {status: 502, as: nginx}}
  - {name: late-body, phase: response, percentage: 2, delay: {uniform: 10ms..80ms, at: body}}
  - {name: rewritten, phase: response, match: {status: 2xx}, percentage: 3,
     rewrite: {status: 500, headers: {set: {x-a: b}, add: {set-cookie: [a=1, b=2]}, remove: server}, body: {json: {items: []}}}}
  - {name: bucket, match: {path: /quota/bucket/**}, rate_limit: {limit: 5, window: 1s, burst: 3, key: client, headers: ietf}}
  - {name: window, match: {path: /quota/window/**}, rate_limit: {limit: 5, window: 1s, algorithm: fixed_window, headers: github}}
  - {name: sliding, match: {path: /quota/sliding/**}, rate_limit: {limit: 5, window: 1s, algorithm: sliding_window,
     key: header:x-user, retry_after: auto}}
  - {name: at-a-time, match: {path: /quota/at-a-time/**}, rate_limit: {limit: 2, algorithm: concurrency, status: 503}}
  - {name: one-of, match: {path: /one-of/**}, outcomes: [{weight: 3, abort: 503}, {weight: 1, delay: 20ms,
     abort: {status: 429, retry_after: 1s}}, {weight: 6, pass: true}]}
  - {name: in-turn, match: {path: /in-turn/**}, key: header:x-user, sequence: [503, 503, pass]}
"""

ONE = """\
  - {name: failing, percentage: 4, abort: {status: 503, body: problem, retry_after: 1s}}
  - {name: waiting, percentage: 10, max_active_faults: 100, delay: {lognormal: {median: 20ms, p99: 300ms}, max: 1s}}
  - {name: slow-line, percentage: 3, throttle: {download: 64KiB/s, upload: 64KiB/s}}
  - {name: drops, percentage: 1, drip: {bytes: 64, every: 10ms}}
  - {name: waves, percentage: 5, duration: 2s, period: 5s, delay: 30ms}
  - {name: only-here, percentage: 3, key: fingerprint, abort: 500}
"""

OTHER = """\
  - {name: failing, percentage: 2, abort: {status: 429, headers: {x-a: [b, c]}, retry_after: {lie: negative}}}
  - {name: waiting, percentage: 8, max_active_faults: 50, delay: {pareto: {scale: 10ms, shape: 1.5}, max: 1s}}
  - {name: slow-line, percentage: 3, throttle: {download: 128KiB/s}}
  - {name: drops, percentage: 1, drip: {bytes: 64, every: 10ms}}
  - {name: bursts, percentage: 50, burst: {enter: 2, leave: 20}, abort: 500}
  - {name: what-if, percentage: 50, dry_run: true, abort: 500}
"""

# Refused, and nothing changes: no such fault, no such key, and no YAML.
BROKEN = ("  - {name: bad, abort: 99}\n", "  - {name: bad, abrot: 503}\n", "  - {name: [\n")


def write(folder, ports, which):
    """which: 0 or 1, or 2 and more for a broken one."""
    text = TOP.format(folder=folder, idle="5s" if which else "6s", keepalive=8 if which else 16, **ports) + SHARED
    return text + (ONE if which == 0 else OTHER if which == 1 else BROKEN[which % len(BROKEN)])


ONLY_HERE = ("failing", "waiting", "slow-line", "hung", "half", "bucket")
