"""browser: a headless Chromium, driven through chromedriver: JSON over HTTP as WebDriver (W3C) says, nothing to install.

Every wait is bounded. The browser has a profile of its own in a temporary folder and reaches nothing but this machine.
"""
import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from harness.brownout import PATIENCE_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key by which WebDriver names an element
# Names of .test lead to this machine, as if somebody else's server of names had said so.
RESOLVER = "MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
ARGUMENTS = ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", f"--host-resolver-rules={RESOLVER}", "--window-size=1440,900")


class BrowserError(Exception):
    pass


class Browser:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="brownout-browser-", ignore_cleanup_errors=True)
        self.driver = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.session = None
        try:
            self.base = f"http://127.0.0.1:{self.read_port()}"
            self.session = "/session/" + self.start()["sessionId"]
        except BaseException:
            self.close()
            raise

    def read_port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return found.group(1)
        raise BrowserError("chromedriver did not start")

    def start(self):
        arguments = [*ARGUMENTS, f"--user-data-dir={self.folder.name}"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        return self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"binary": CHROMIUM, "args": arguments}}}})

    def close(self):
        try:
            if self.session:
                self.call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(PATIENCE_S)
            self.driver.stdout.close()
            self.folder.cleanup()

    def call(self, method, path, body=None):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=3 * PATIENCE_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            raise BrowserError(json.load(e)["value"]["message"]) from None

    # ---- pages ----

    def open(self, url):
        self.console()  # what an earlier page had said is not this one's
        self.call("POST", self.session + "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", self.session + "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        """The body of an async function."""
        wrapped = f"const done = arguments[arguments.length - 1]; (async (...args) => {{ {script} }})(...arguments).then(done, (e) => done(String(e)))"
        return self.call("POST", self.session + "/execute/async", {"script": wrapped, "args": list(arguments)})

    def wait(self, expression, what=None):
        """Until the JavaScript expression is true; gives its value."""
        until = time.monotonic() + PATIENCE_S
        while not (value := self.run("return " + expression)):
            if time.monotonic() > until:
                shown = self.run("return document.body.innerText")
                raise AssertionError(f"never: {what or expression}\n{shown}\n{self.console()}")
            time.sleep(0.05)
        return value

    def console(self):
        """Errors and warnings since the last time."""
        log = self.call("POST", self.session + "/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] in ("SEVERE", "WARNING")]

    def save_picture(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("GET", self.session + "/screenshot")))

    # ---- as a person would ----

    def find(self, css):
        found = self.call("POST", self.session + "/element", {"using": "css selector", "value": css})
        return f"{self.session}/element/{found[ELEMENT]}"

    def click(self, css):
        self.call("POST", self.find(css) + "/click")

    def type(self, css, text):
        """Into a field, in the place of what was there."""
        element = self.find(css)
        self.call("POST", element + "/clear")
        self.call("POST", element + "/value", {"text": text})

    def choose(self, css, value):
        self.click(f'{css} option[value="{value}"]')

    def press(self, key):
        """To whatever has the focus."""
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.call("POST", self.session + "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})
