"""What is measured: the floor, two peers and brownout, each on one thread and told to do the same.

A subject knows how to be told each job (forward, abort, abort10, delay, hold) and answers None where it has no sane way
to do it. Logs are off, connections are kept alive on both sides, nothing is limited that a run could reach.
"""

import os
import shutil

ABORT_TEXT = "Service Unavailable"
DELAY_MS = 100
HOLD_S = 600
JOBS = ("forward", "abort", "abort10", "delay", "hold")


def path_rules(count, last="/bytes/1024"):
    """Rules of so many exact paths, of which only the last is ever asked for."""
    paths = [f"/path/{i}" for i in range(1, count)] + [last]
    return "rules:\n" + "".join(f"  - {{match: {{path: {path}}}, abort: 503}}\n" for path in paths)


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
        "abort": ["--abort"],
        "abort10": ["--abort", "--percentage", "10"],
        "delay": ["--delay-ms", str(DELAY_MS)],
        "hold": ["--delay-ms", str(HOLD_S * 1000)],
    }

    def __init__(self, binary):
        self.binary = binary

    def find(self):
        return None if os.access(self.binary, os.X_OK) else f"{self.binary} was not built"

    def command(self, job, listen, origin, folder):
        return [self.binary, "--listen", str(listen), "--upstream", str(origin), *self.arguments[job]]


class Haproxy(Subject):
    name = "haproxy"
    packages = ("haproxy",)
    # inspect-delay does not hold a request that is complete, and a tarpit cannot forward it later: that leaves Lua.
    lines = {
        "forward": "",
        "abort": f'http-request return status 503 content-type text/plain string "{ABORT_TEXT}"',
        "abort10": f'http-request return status 503 content-type text/plain string "{ABORT_TEXT}" if {{ rand(100) lt 10 }}',
        "delay": "http-request lua.delay",
        "hold": "http-request lua.hold",
    }
    script = f"""
core.register_action("delay", {{"http-req"}}, function(txn) core.msleep({DELAY_MS}) end)
core.register_action("hold", {{"http-req"}}, function(txn) core.msleep({HOLD_S * 1000}) end)
"""

    def command(self, job, listen, origin, folder):
        text = f"""
global
    nbthread 1
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
        "abort": f'return 503 "{ABORT_TEXT}\\n";',
        "abort10": f'if ($abort) {{ return 503 "{ABORT_TEXT}\\n"; }}',
        "delay": f"access_by_lua_block {{ ngx.sleep({DELAY_MS / 1000}) }}",
        "hold": f"access_by_lua_block {{ ngx.sleep({HOLD_S}) }}",
    }

    def command(self, job, listen, origin, folder):
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
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 1024;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{listen} backlog=4096;
        location / {{
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
    rules = {
        "forward": "",
        "abort": "rules:\n  - abort: 503\n",
        "abort10": "rules:\n  - abort: 503\n    percentage: 10\n",
        "delay": f"rules:\n  - delay: {DELAY_MS}ms\n",
        "hold": f"rules:\n  - delay: {HOLD_S}s\n",
    }

    def __init__(self, binary):
        self.binary = binary

    def find(self):
        return None if os.access(self.binary, os.X_OK) else f"{self.binary} was not built"

    def command(self, job, listen, origin, folder):
        text = f"workers: 1\nlisten: 127.0.0.1:{listen}\nupstream: http://127.0.0.1:{origin}\n{self.rules[job]}"
        return [self.binary, "run", write(folder, "brownout.yaml", text)]
