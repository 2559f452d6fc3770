"""The time zone of every site: China has one, and no summer time since 1991."""

from datetime import timedelta, timezone
from typing import Final

LOCAL: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
