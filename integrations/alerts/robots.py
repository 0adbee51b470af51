"""The group robots of WeCom and DingTalk, which answer HTTP 200 to everything and say in `errcode` what came of it.

apprise takes the 200 for success, so a wrong key, a missing keyword or a rate limit would look like a notice that was
delivered. These two take the place of apprise's own and read the answer.
"""

import re
from typing import Any

import requests
from apprise.manager_plugins import NotificationManager
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.wecombot import NotifyWeComBot

_MOST_SHOWN = 200
_DINGTALK_WEBHOOK = re.compile(
    r"https://oapi\.dingtalk\.com/robot/send/?\?access_token=(?P<token>[a-z0-9]+)(?:&secret=(?P<secret>[a-z0-9]+))?$",
    re.IGNORECASE,
)


class WeComRobot(NotifyWeComBot):
    """企业微信群机器人: `wecombot://KEY`, or the webhook as WeCom shows it."""

    def send(self, body: str, title: str = "", *args: Any, **kwargs: Any) -> bool:
        """Post the text. apprise puts the title into it."""
        return _post(self, self.notify_url.format(key=self.key), {"msgtype": "text", "text": {"content": body}})


class DingTalkRobot(NotifyDingTalk):
    """钉钉自定义机器人: `dingtalk://SECRET@TOKEN`, or the webhook as DingTalk shows it, with `&secret=SEC…` added."""

    def send(self, body: str, title: str = "", *args: Any, **kwargs: Any) -> bool:
        """Post the text under its title, signed if the robot has a secret."""
        params = dict(zip(("timestamp", "sign"), self.get_signature(), strict=True)) if self.secret else {}
        query = "".join(f"&{name}={value}" for name, value in params.items())  # the signature comes quoted
        content = {"content": f"{title}\n{body}" if title else body}
        payload = {"msgtype": "text", "text": content, "at": {"atMobiles": self.targets, "isAtAll": False}}
        return _post(self, self.notify_url.format(token=self.token) + query, payload)

    @staticmethod
    def parse_native_url(url: str) -> Any:
        """Read the webhook as it is copied from DingTalk."""
        found = _DINGTALK_WEBHOOK.match(url)
        if found is None:
            return None
        secret = f"{found['secret']}@" if found["secret"] else ""
        return DingTalkRobot.parse_url(f"dingtalk://{secret}{found['token']}/")


def register() -> None:
    """Let apprise use these for `wecombot://` and `dingtalk://`."""
    for robot in (WeComRobot, DingTalkRobot):
        NotificationManager().add(robot, force=True)


def _post(robot: Any, url: str, payload: dict[str, Any]) -> bool:
    """Send and read what came back; the robot's logger takes it, which is how apprise hands it on."""
    robot.throttle()
    try:
        answer = requests.post(
            url,
            json=payload,
            headers={"User-Agent": robot.app_id},
            verify=robot.verify_certificate,
            timeout=robot.request_timeout,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        robot.logger.warning("%s did not answer (%s).", robot.service_name, type(error).__name__)
        return False
    code, words = _read(answer)
    if code == 0:
        robot.logger.info("%s took it.", robot.service_name)
        return True
    robot.logger.warning("%s refused it: HTTP %s, %s %s", robot.service_name, answer.status_code, code, words)
    return False


def _read(answer: requests.Response) -> tuple[Any, str]:
    """`errcode` (0 = taken; None = no answer of a robot's) and `errmsg`."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if answer.status_code != requests.codes.ok or not isinstance(document, dict):
        return None, answer.text[:_MOST_SHOWN]
    return document.get("errcode"), str(document.get("errmsg", ""))[:_MOST_SHOWN]
