"""Tasks of one connection, which end together."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until_first(*work: Coroutine[Any, Any, None]) -> None:
    """Do several things until the first of them ends; raise what ended it. The others are cancelled."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task in done:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
