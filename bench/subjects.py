"""What is measured: the floor, two peers and brownout, each on one thread and told to do the same.

A subject knows how to be told each job and answers None where it has no sane way to do it. Logs are off but where the job
says so, connections are kept alive on both sides, nothing is limited that a run could reach.

Jobs: forward, abort (503), abort10 (10 % of them), delay, hold; rules1 and rules1k (503 by the last of so many exact paths);
quota (one for each value of a header, none is reached); workers1 and workers2 (abort), workers1-forward and
workers2-forward; judged (forward with a judge); observed (that with metrics and access log as well); attacked (forward).
"""

import os
import shutil

ABORT_TEXT = "Service Unavailable"
DELAY_MS = 100
HOLD_S = 600
QUOTA_KEYS = 100_000
ASKED_PATH = "/bytes/1024"


def rule_paths(count, last=ASKED_PATH):
    """So many exact paths, of which only the last is ever asked for."""
    return [f"/path/{i}" for i in range(1, count)] + [last]


def path_rules(paths):
    return "rules:\n" + "".join(f"  - {{match: {{path: {path}}}, abort: 503}}\n" for path in paths)


def workers_of(job):
    return 2 if job.startswith("workers2") else 1


# A quota for each value of X-Key that nobody reaches.
QUOTA = "rules:\n  - rate_limit: {limit: 1000000, window: 1m, key: header:x-key}\n"


class Subject:
    name = ""
    packages = ()

    def find(self):
        """Why this subject cannot be measured here, or None."""
        return None if shutil.which(self.name) else f"{self.name} is not installed"

    def command(self, job, listen, origin, folder):
        """The command line that does the job, or None. Configuration files go to folder."""
        raise NotImplementedError


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Floor(Subject):
    name = "floor"
    arguments = {
        "forward": [],
        "attacked": [],
        "abort": ["--abort"],
        "abort10": ["--abort", "--percentage", "10"],
        "delay": ["--delay-ms", str(DELAY_MS)],
        "hold": ["--delay-ms", str(HOLD_S * 1000)],
        "quota": [],
    }

    def __init__(self, binary):
        self.binary = binary

    def find(self):
        return None if os.access(self.binary, os.X_OK) else f"{self.binary} was not built"

    def command(self, job, listen, origin, folder):
        if job not in self.arguments:
            return None
        return [self.binary, "--listen", str(listen), "--upstream", str(origin), *self.arguments[job]]


class Haproxy(Subject):
    name = "haproxy"
    packages = ("haproxy",)
    answer = f'http-request return status 503 content-type text/plain string "{ABORT_TEXT}"'
    # inspect-delay does not hold a request that is complete, and a tarpit cannot forward it later: that leaves Lua.
    lines = {
        "forward": "",
        "attacked": "",
        "abort": answer,
        "abort10": f"{answer} if {{ rand(100) lt 10 }}",
        "rules1": f"{answer} if {{ path {ASKED_PATH} }}",
        "rules1k": "\n    ".join(["", *(f"http-request return status 503 if {{ path {path} }}" for path in rule_paths(1000))]),
        "workers1": answer,
        "workers2": answer,
        "workers1-forward": "",
        "workers2-forward": "",
        "quota": """
    stick-table type string len 16 size 200k expire 10m store http_req_rate(1m)
    http-request track-sc0 hdr(x-key)
    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000 }""",
        "delay": "http-request lua.delay",
        "hold": "http-request lua.hold",
    }
    script = f"""
core.register_action("delay", {{"http-req"}}, function(txn) core.msleep({DELAY_MS}) end)
core.register_action("hold", {{"http-req"}}, function(txn) core.msleep({HOLD_S * 1000}) end)
"""

    def command(self, job, listen, origin, folder):
        if job not in self.lines:
            return None
        text = f"""
global
    nbthread {workers_of(job)}
    maxconn 30000
    no strict-limits
    lua-load {write(folder, "delay.lua", self.script)}
    tune.lua.session-timeout 0
defaults
    mode http
    timeout connect 10s
    timeout client {HOLD_S + 60}s
    timeout server {HOLD_S + 60}s
    timeout http-keep-alive {HOLD_S + 60}s
frontend public
    bind 127.0.0.1:{listen} backlog 4096
    maxconn 30000
    {self.lines[job]}
    default_backend origin
backend origin
    http-reuse always
    server origin 127.0.0.1:{origin}
"""
        return ["haproxy", "-db", "-f", write(folder, "haproxy.cfg", text)]


class Nginx(Subject):
    name = "nginx"
    packages = ("nginx-light", "libnginx-mod-http-lua")
    modules = "/usr/lib/nginx/modules"
    lines = {
        "forward": "",
        "attacked": "",
        "abort": f'return 503 "{ABORT_TEXT}\\n";',
        "abort10": f'if ($abort) {{ return 503 "{ABORT_TEXT}\\n"; }}',
        "delay": f"access_by_lua_block {{ ngx.sleep({DELAY_MS / 1000}) }}",
        "hold": f"access_by_lua_block {{ ngx.sleep({HOLD_S}) }}",
        "quota": "limit_req zone=keys burst=1000000 nodelay; limit_req_status 429;",
        "rules1": "",
        "rules1k": "",
    }
    locations = {"rules1": rule_paths(1), "rules1k": rule_paths(1000)}

    def command(self, job, listen, origin, folder):
        if job not in self.lines:
            return None
        answer = f'return 503 "{ABORT_TEXT}\\n";'
        locations = "".join(f"        location = {path} {{ {answer} }}\n" for path in self.locations.get(job, ()))
        load = ""
        if job in ("delay", "hold"):
            names = [f"{self.modules}/{name}.so" for name in ("ndk_http_module", "ngx_http_lua_module")]
            if not all(os.path.exists(name) for name in names):
                return None
            load = "".join(f"load_module {name};\n" for name in names)
        # One process and no master: the worker is the process that was started.
        text = f"""{load}
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{
    worker_connections 40000;
}}
http {{
    access_log off;
    keepalive_timeout {HOLD_S}s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_max_temp_file_size 0;
    split_clients "$request_id" $abort {{
        10% 1;
        * "";
    }}
    limit_req_zone $http_x_key zone=keys:32m rate=60000000r/m;
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 1024;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{listen} backlog=4096;
{locations}        location / {{
            {self.lines[job]}
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout {HOLD_S + 60}s;
        }}
    }}
}}
"""
        return ["nginx", "-e", "stderr", "-c", write(folder, "nginx.conf", text)]


class Brownout(Subject):
    name = "brownout"
    ABORT = "rules:\n  - abort: 503\n"
    rules = {
        "forward": "",
        "attacked": "",
        "abort": ABORT,
        "abort10": "rules:\n  - abort: 503\n    percentage: 10\n",
        "delay": f"rules:\n  - delay: {DELAY_MS}ms\n",
        "hold": f"rules:\n  - delay: {HOLD_S}s\n",
        "rules1": path_rules(rule_paths(1)),
        "rules1k": path_rules(rule_paths(1000)),
        "quota": QUOTA,
        "workers1": ABORT,
        "workers2": ABORT,
        "workers1-forward": "",
        "workers2-forward": "",
        "observed": "",
        "judged": "expect: recommended\n",
    }

    def __init__(self, binary):
        self.binary = binary

    def find(self):
        return None if os.access(self.binary, os.X_OK) else f"{self.binary} was not built"

    def command(self, job, listen, origin, folder):
        text = f"workers: {workers_of(job)}\nlisten: 127.0.0.1:{listen}\nupstream: http://127.0.0.1:{origin}\n{self.rules[job]}"
        if job == "observed":
            text += f"admin: unix:{folder}/admin\nlog: {{access: {folder}/access.log, format: json}}\nexpect: recommended\n"
        return [self.binary, "run", write(folder, "brownout.yaml", text)]
